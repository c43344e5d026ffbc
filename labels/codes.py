"""Numbers that are printed on labels: postal item numbers (UPU S10) and dossier codes.

A UPU S10 number has 13 characters: two letters for the service, eight digits of serial number, one check digit, and the
two letters of the ISO 3166 country. Source: UPU technical standard S10.

>>> validate("ra 123 456 785 vn")
'RA123456785VN'
>>> all(map(is_valid, ("RR473124829GB", "RH296400060VN", "RH296400095VN", "EE471108151FR", "EB000717618HK")))
True
>>> is_valid("RA123456784VN")
False
>>> format("RA123456785VN")
'RA 123 456 785 VN'
>>> build("RA", 12345678)
'RA123456785VN'
>>> build("RR", 47312482, country="GB")
'RR473124829GB'
"""

import re
from datetime import date

from labels.errors import LabelError

_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
# UPU S10 reserves these first letters: we read such a number, we never mint one.
_RESERVED_FIRST_LETTERS = frozenset("JKSTW")

# Circular 01/2018/TT-VPCP of 23/11/2018, article 19, and the short form seen in use (Gia Lai: H21.65-220914-0011).
_DOSSIER = re.compile(
    r"(?:[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}|[A-Z][0-9]{2}(?:\.[0-9]{1,3})*)"
    r"-(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})-[0-9]{4,5}"
)


def compact(number: str) -> str:
    """Return the number without spaces and hyphens, in capitals.

    >>> compact(" rr 473-124-829 gb ")
    'RR473124829GB'
    """
    return re.sub(r"[\s-]", "", number).upper()


def calc_check_digit(serial: str) -> str:
    """Return the check digit of eight digits: 11 - (weighted sum mod 11), where 10 becomes 0 and 11 becomes 5.

    >>> calc_check_digit("12345678"), calc_check_digit("47312482")
    ('5', '9')
    >>> calc_check_digit("29640006"), calc_check_digit("29640009")  # the two special cases
    ('0', '5')

    Error: invalid_item_id unless `serial` is eight ASCII digits.
    """
    if not re.fullmatch(r"[0-9]{8}", serial):
        raise LabelError("invalid_item_id", "The serial number of a postal item has eight digits.")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, serial, strict=True))
    check = 11 - total % 11
    return {10: "0", 11: "5"}.get(check, str(check))


def validate(number: str) -> str:
    """Return the compact S10 number; raise invalid_item_id if its shape or its check digit is wrong."""
    number = compact(number)
    if not _S10.fullmatch(number):
        raise LabelError(
            "invalid_item_id",
            "A postal item number has two letters, nine digits and two letters, as in RA123456785VN.",
        )
    if number[10] != calc_check_digit(number[2:10]):
        raise LabelError("invalid_item_id", "The check digit of the postal item number is wrong; read it again.")
    return number


def is_valid(number: str) -> bool:
    """Say whether the text is an S10 number with the right check digit."""
    try:
        validate(number)
    except LabelError:
        return False
    return True


def format(number: str) -> str:
    """Return the number in the groups people read aloud, two letters, three times three digits, two letters."""
    number = validate(number)
    return " ".join((number[:2], number[2:5], number[5:8], number[8:11], number[11:]))


def build(prefix: str, serial: int, country: str = "VN") -> str:
    """Return the S10 number for a two-letter service prefix and a serial number of 0 to 99999999.

    Error: invalid_item_id, also for a prefix that UPU reserves (first letter J, K, S, T or W).
    """
    if not (re.fullmatch(r"[A-Z]{2}", prefix) and re.fullmatch(r"[A-Z]{2}", country)):
        raise LabelError("invalid_item_id", "The service prefix and the country have two capital letters each.")
    if prefix[0] in _RESERVED_FIRST_LETTERS:
        raise LabelError("invalid_item_id", f"UPU reserves service prefixes that begin with {prefix[0]}.")
    if not 0 <= serial <= 99_999_999:
        raise LabelError("invalid_item_id", "The serial number of a postal item lies between 0 and 99999999.")
    digits = f"{serial:08d}"
    return f"{prefix}{digits}{calc_check_digit(digits)}{country}"


def validate_dossier_code(code: str) -> str:
    """Return the dossier code exactly as given; raise invalid_dossier_code for another shape or an impossible date.

    Nothing is derived from it: the letter-and-number of the province is not a reliable province code.

    >>> validate_dossier_code("000.00.16.H32-200402-0015")
    '000.00.16.H32-200402-0015'
    >>> validate_dossier_code("H21.65-220914-0011")
    'H21.65-220914-0011'
    >>> is_valid_dossier_code("H21.65-220931-0011")  # 31 September
    False
    """
    found = _DOSSIER.fullmatch(code)
    if found is None:
        raise LabelError(
            "invalid_dossier_code",
            "A dossier code reads 000.00.16.H32-200402-0015 or, in short, H21.65-220914-0011.",
        )
    try:
        date(2000 + int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError as error:
        raise LabelError("invalid_dossier_code", "The six digits in the dossier code are no date (YYMMDD).") from error
    return code


def is_valid_dossier_code(code: str) -> bool:
    """Say whether the text is a dossier code of one of the two known forms with a real date."""
    try:
        validate_dossier_code(code)
    except LabelError:
        return False
    return True
