import importlib.util
import os

# On the CPU a seed fixes the weights to the bit; a GPU would not take part in that.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

needed = ("tensorflow", "jinja2", "matplotlib")
collect_ignore_glob = [] if all(map(importlib.util.find_spec, needed)) else ["test_*.py"]
