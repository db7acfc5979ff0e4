import pytest

from edge_mnist.check_digits import RULES, WeightedSum, has_valid_check
from edge_mnist.errors import InvalidInputError

# Numbers that are published as examples of each rule.
PUBLISHED = {
    "luhn": ["79927398713", "4111111111111111", "490154203237518"],
    "ean": ["4006381333931", "73513537", "9780306406157", "036000291452"],
    "isbn10": ["0306406152"],
    "iso7064-mod11-2": ["0000000218250097", "07940"],
    "iso7064-mod11-10": ["86095742719", "794623"],
    "iso7064-mod97-10": ["79444"],
    "verhoeff": ["2363", "1428570"],
    "damm": ["5724"],
}
EXAMPLES = [(rule, number) for rule, numbers in PUBLISHED.items() for number in numbers]


def test_every_rule_has_a_published_example():
    assert PUBLISHED.keys() == RULES.keys()


@pytest.mark.parametrize(("rule", "number"), EXAMPLES)
def test_published_numbers_are_valid(rule, number):
    assert has_valid_check(number, rule)


@pytest.mark.parametrize(("rule", "number"), EXAMPLES)
def test_no_misread_digit_goes_unnoticed(rule, number):
    for place, right in enumerate(number):
        for wrong in set("0123456789") - {right}:
            assert not has_valid_check(number[:place] + wrong + number[place + 1 :], rule)


def test_weighted_sum_checks_an_nhs_number():
    rule = WeightedSum((10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 11)
    assert has_valid_check("9434765919", rule)
    assert not has_valid_check("9434765918", rule)
    assert not has_valid_check("943476591", rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("text", ["", "0", "12?4", "1 34", "٣٤٥"])
def test_what_is_no_number_is_not_valid(rule, text):
    assert not has_valid_check(text, rule)


def test_unknown_rule_is_refused():
    with pytest.raises(InvalidInputError) as error:
        has_valid_check("123", "mod7")
    assert str(error.value) == (f"unknown check-digit rule: expected {', '.join(RULES)}, got mod7")


@pytest.mark.parametrize(("weights", "modulus"), [((), 11), ((2, 1), 1)])
def test_weighted_sum_that_checks_nothing_is_refused(weights, modulus):
    with pytest.raises(
        InvalidInputError,
        match=r"^check by a weighted sum: expected at least one weight and a modulus of 2 or more",
    ):
        WeightedSum(weights, modulus)
