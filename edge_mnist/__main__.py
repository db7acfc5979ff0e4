"""`python -m edge_mnist` is `edge-mnist`."""

from edge_mnist.cli.app import main

if __name__ == "__main__":
    main()
