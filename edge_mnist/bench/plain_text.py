"""Text that others wrote, so that a terminal shows it and does nothing else."""


def make_plain(text: str) -> str:
    """Return text of one line, without what would steer a terminal or cannot be encoded."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
