"""Formats of pictures and documents that are not read, to say so by their names."""

# What OpenCV does not read as it is installed from PyPI, though a camera or scanner gives it.
UNREAD_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".pdf"})

REMEDY = "convert to JPEG or PNG first"

# ISO/IEC 14496-12, 4.3: a box of the type ftyp names the brand. Those of ISO/IEC 23008-12 and AVIF.
_BRANDS = {
    b"heic": "a HEIC picture",
    b"heix": "a HEIC picture",
    b"mif1": "a HEIF picture",
    b"msf1": "a HEIF picture",
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
}


def name_unread(content: bytes) -> str | None:
    """Return what a file is, by its first bytes, if it is of a format that is not read."""
    if content.startswith(b"%PDF"):
        return "a PDF document"
    return _BRANDS.get(content[8:12]) if content[4:8] == b"ftyp" else None
