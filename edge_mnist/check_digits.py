"""Check digits: what a number tells of itself when a digit of it was misread.

Only numbers that are written in digits alone can be checked: where a rule gives an X for 10, as
ISBN-10 and ISO 7064 MOD 11-2 do for one number in eleven, that number is none that can be read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_mnist.errors import InvalidInputError

# Verhoeff, "Error detecting decimal codes", 1969: multiplication in the dihedral group D5, and
# how a digit is permuted by one place.
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTATION = "1576283094"

# Damm, "Total anti-symmetrische Quasigruppen", 2004: a quasigroup of order 10.
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def _is_luhn(digits: Sequence[int]) -> bool:
    """ISO/IEC 7812-1, annex B: payment cards, IMEI."""
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (doubled + sum(digits[::-2])) % 10 == 0


def _is_ean(digits: Sequence[int]) -> bool:
    """GS1 General Specifications, 7.9: EAN and UPC, ISBN-13, ISSN-13, SSCC."""
    return (sum(digits[::-2]) + 3 * sum(digits[-2::-2])) % 10 == 0


def _is_mod_11_2(digits: Sequence[int]) -> bool:
    """ISO/IEC 7064, MOD 11-2: ORCID, ISNI, Chinese resident numbers."""
    return sum(digit << place for place, digit in enumerate(reversed(digits))) % 11 == 1


def _is_mod_11_10(digits: Sequence[int]) -> bool:
    """ISO/IEC 7064, MOD 11,10: German tax numbers."""
    product = 10
    for digit in digits[:-1]:
        product = (((product + digit) % 10 or 10) * 2) % 11
    return (product + digits[-1]) % 10 == 1


def _is_mod_97_10(digits: Sequence[int]) -> bool:
    """ISO/IEC 7064, MOD 97-10: the last two digits check the others."""
    return int("".join(map(str, digits))) % 97 == 1


def _is_verhoeff(digits: Sequence[int]) -> bool:
    """Verhoeff, 1969: Aadhaar numbers."""
    interim = 0
    for place, digit in enumerate(reversed(digits)):
        for _ in range(place % 8):
            digit = int(_PERMUTATION[digit])  # noqa: PLW2901 - permuted once a place
        interim = int(_DIHEDRAL[interim][digit])
    return interim == 0


def _is_damm(digits: Sequence[int]) -> bool:
    """Damm, 2004."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][digit])
    return interim == 0


@dataclass(frozen=True)
class WeightedSum:
    """The rule that digits times their weights sum up to a multiple of the modulus.

    Attributes:
        weights: One a digit, from the left. ISBN-10 has 10 to 1.
        modulus: At least 2.
    """

    weights: tuple[int, ...]
    modulus: int

    def __post_init__(self) -> None:
        if not self.weights or self.modulus < 2:
            raise InvalidInputError(
                "check by a weighted sum",
                expected="at least one weight and a modulus of 2 or more",
                got=f"{len(self.weights)} weights, modulus {self.modulus}",
            )

    def __call__(self, digits: Sequence[int]) -> bool:
        """Return whether digits keep to it; a number of another length does not."""
        if len(digits) != len(self.weights):
            return False
        total = sum(w * digit for w, digit in zip(self.weights, digits, strict=True))
        return total % self.modulus == 0


RULES: dict[str, Callable[[Sequence[int]], bool]] = {
    "damm": _is_damm,
    "ean": _is_ean,
    "isbn10": WeightedSum(tuple(range(10, 0, -1)), 11),  # ISO 2108:1992
    "iso7064-mod11-2": _is_mod_11_2,
    "iso7064-mod11-10": _is_mod_11_10,
    "iso7064-mod97-10": _is_mod_97_10,
    "luhn": _is_luhn,
    "verhoeff": _is_verhoeff,
}

Check = str | WeightedSum


def require_rule(name: str) -> str:
    """Return the name of a rule if there is one of that name.

    Raises:
        InvalidInputError: If there is none.
    """
    if name not in RULES:
        raise InvalidInputError("unknown check-digit rule", expected=", ".join(RULES), got=name)
    return name


def has_valid_check(text: str, check: Check) -> bool:
    """Return whether a number keeps to a check-digit rule.

    Args:
        text: The number with its check digits. With anything but the digits 0 to 9 in it, or with
            fewer than two of them, it keeps to none.
        check: The name of one of `RULES`, or a weighted sum.

    Raises:
        InvalidInputError: If there is no rule of that name.
    """
    rule = check if isinstance(check, WeightedSum) else RULES[require_rule(check)]
    if len(text) < 2 or not (text.isascii() and text.isdigit()):
        return False
    return rule([int(character) for character in text])
