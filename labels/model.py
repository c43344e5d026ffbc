"""What a label says, free of paper sizes and printers; every text is cleaned when the object is made."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from labels import codes
from labels.errors import LabelError
from labels.text import clean

# So that its QR code keeps modules of three printer dots on every label.
_MAX_URL_CHARACTERS = 150
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
# A Vietnamese number has ten digits or more; a masked one shows at most this many.
_MAX_VISIBLE_PHONE_DIGITS = 7
# Far beyond any fee and any letter: a larger figure is a fault, and would not be readable on a label.
MAX_AMOUNT_DONG = 9_999_999_999
_MAX_WEIGHT_G = 1_000_000


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or recipient: full name, masked phone, address as written, commune under both maps.

    `commune_2020` is the name on the map in force until 30/6/2025, `commune_2025` the one since 1/7/2025; either may be
    empty. Errors: missing_text (no name), unmasked_phone, unprintable_text, text_too_long.
    """

    name: str
    phone_masked: str = ""
    address_lines: tuple[str, ...] = ()
    commune_2020: str = ""
    commune_2025: str = ""

    def __post_init__(self) -> None:
        _clean_texts(self)
        if not self.name:
            raise LabelError("missing_text", "A label needs the name of the sender and of the recipient.")
        if sum(character.isdigit() for character in self.phone_masked) > _MAX_VISIBLE_PHONE_DIGITS:
            raise LabelError("unmasked_phone", "Mask the phone number: a label lies open to everybody on the way.")


@dataclass(frozen=True, slots=True)
class Document:
    """One paper in the cover. Its name is for the consignment note; a label prints only how many papers there are."""

    name: str
    copies: int = 1
    original: bool = False

    def __post_init__(self) -> None:
        _clean_texts(self)
        if self.copies < 1:
            raise LabelError("invalid_amount", "A document has at least one copy.")


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line of the account in whole đồng; a reduction is negative."""

    label_vi: str
    label_en: str
    amount_dong: int

    def __post_init__(self) -> None:
        _clean_texts(self)
        if abs(self.amount_dong) > MAX_AMOUNT_DONG:
            raise LabelError("invalid_amount")


@dataclass(frozen=True, slots=True)
class Label:
    """Everything a label may say about one leg of one postal item.

    - `item_id`: UPU S10 number, in any spacing; `dossier_code`, `external_ref`: verbatim, either may be empty.
    - `kind`: the leg, `pickup` (collect the dossier at the citizen) or `return` (bring the result to the citizen).
    - `payable_dong`: what the courier must ask for. `money` explains it and, if given, must add up to it.
    - `due_at`: aware instant of the promise, in Vietnamese time; None while no clock runs. `due_rule`: its source.
    - `provisional`: the price may still change. `approximate_point`: the citizen's place on the map is a guess.

    Errors: invalid_item_id, unknown_kind, naive_instant, invalid_amount, money_mismatch, invalid_tracking_url,
    unprintable_text, text_too_long.
    """

    item_id: str
    kind: Literal["pickup", "return"]
    sender: Party
    recipient: Party
    tracking_url: str
    weight_g: int
    payable_dong: int
    external_ref: str = ""
    dossier_code: str = ""
    shop_name: str = ""
    office_name: str = ""
    documents: tuple[Document, ...] = ()
    money: tuple[MoneyLine, ...] = ()
    due_at: datetime | None = None
    due_rule: str = ""
    delivery_expected_on: date | None = None
    note: str = ""
    provisional: bool = False
    approximate_point: bool = False

    def __post_init__(self) -> None:
        _clean_texts(self)
        object.__setattr__(self, "item_id", codes.validate(self.item_id))
        if self.kind not in ("pickup", "return"):
            raise LabelError("unknown_kind", "A label is for a pickup or for a return.")
        if self.due_at is not None and self.due_at.utcoffset() is None:
            raise LabelError("naive_instant", "The promised time needs a time zone.")
        if not 0 <= self.weight_g <= _MAX_WEIGHT_G or not 0 <= self.payable_dong <= MAX_AMOUNT_DONG:
            raise LabelError("invalid_amount")
        if self.money and sum(line.amount_dong for line in self.money) != self.payable_dong:
            raise LabelError("money_mismatch")
        if len(self.tracking_url) > _MAX_URL_CHARACTERS or not _URL.fullmatch(self.tracking_url):
            raise LabelError("invalid_tracking_url")


def change_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return the label (or party, tuple, text) with `change` applied to every text in it; other values stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(change_texts(part, change) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {field.name: change_texts(getattr(value, field.name), change) for field in fields(value)}
        return replace(value, **changed)
    return value


def _clean_texts(value: Any) -> None:
    for field in fields(value):
        content = getattr(value, field.name)
        name = f"{type(value).__name__}.{field.name}"
        if isinstance(content, str):
            object.__setattr__(value, field.name, clean(content, name))
        elif isinstance(content, tuple):
            cleaned = tuple(clean(part, name) if isinstance(part, str) else part for part in content)
            object.__setattr__(value, field.name, tuple(part for part in cleaned if part != ""))
