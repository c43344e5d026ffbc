"""The one error of the labels library: a word code, a sentence, and whether trying again can help."""

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "barcode_too_small": "A barcode has too little room to stay readable.",
        "does_not_fit": "The text is too long for this label format even at its smallest size.",
        "invalid_amount": "A weight, a count or a sum of money is negative or beyond all measure.",
        "invalid_dossier_code": "The dossier code has neither known form, or its date part is no date.",
        "invalid_item_id": "The postal item number is no valid UPU S10 number.",
        "invalid_tracking_url": "The tracking address is no plain http(s) address of at most 150 characters.",
        "missing_text": "A text the label cannot do without is empty.",
        "money_mismatch": "The money lines do not add up to the sum to collect.",
        "naive_instant": "An instant has no time zone.",
        "no_labels": "There is nothing to print.",
        "table_shape": "A row does not fit the columns of its table.",
        "text_too_long": "A text is longer than any label can hold.",
        "unknown_format": "No label format has this name.",
        "unknown_kind": "The leg is neither pickup nor return.",
        "unknown_writer": "No writer has this name.",
        "unmasked_phone": "A phone number would be printed in the open.",
        "unprintable_text": "A text holds a control character or half a character.",
    }
)


class LabelError(ValueError):
    """A label cannot be made as asked; `code` is a key of CODES, `sentence` is for people and quotes no personal data.

    `permanent` is always true: the same label asked again fails again.
    """

    permanent = True

    def __init__(self, code: str, sentence: str = "") -> None:
        self.code = code
        self.sentence = sentence or CODES[code]
        super().__init__(f"{code}: {self.sentence}")
