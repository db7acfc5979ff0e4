"""Every error that edge-mnist raises on purpose.

EdgeMnistError
├── InvalidInputError        an image, array or argument that cannot be used
├── DatasetError             data that is missing, broken or not what it claims to be
├── ModelError               a model file that cannot be found, read or run
├── TrainingError            a training that cannot start, go on or be resumed
├── ExportError              a conversion whose result fails its checks
├── SourceError              a camera, video or stream that cannot be opened or went away
├── HostError                another machine that cannot be reached or cannot do what is asked
└── MissingDependencyError   a package that a command needs and the install lacks
"""


class EdgeMnistError(Exception):
    """An error with a message for the user: one line that says what, expected, got and remedy.

    Args:
        what: What went wrong, with the file or argument that it is about.
        expected: What would have been right.
        got: What was found instead.
        remedy: What the user can do now.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        remedy: str | None = None,
    ) -> None:
        found = ", ".join(
            f"{label} {value}" for label, value in (("expected", expected), ("got", got)) if value
        )
        message = f"{what}: {found}" if found else what
        if remedy:
            message = f"{message}; {remedy}"
        super().__init__(" ".join(message.split()))


class InvalidInputError(EdgeMnistError):
    """An image, array or argument that cannot be used."""


class DatasetError(EdgeMnistError):
    """Data that is missing, broken or not what it claims to be."""


class ModelError(EdgeMnistError):
    """A model file that cannot be found, read or run."""


class TrainingError(EdgeMnistError):
    """A training that cannot start, go on or be resumed."""


class ExportError(EdgeMnistError):
    """A conversion whose result fails its checks."""


class SourceError(EdgeMnistError):
    """A camera, video or stream that cannot be opened or went away."""


class HostError(EdgeMnistError):
    """Another machine that cannot be reached or cannot do what is asked."""


class MissingDependencyError(EdgeMnistError):
    """A package that a command needs and the install lacks."""
