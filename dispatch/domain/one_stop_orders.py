"""Orders in the shape that one-stop systems send to the post today, read as requests (docs/adapter.md).

Field names in any case, flat (`ReceiverTel`) or in groups (`Receiver: {Tel}`); provinces and districts as codes of the
2020 map, as numbers or texts, 0 for unknown; whatever else such systems send is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import ValidationError

from dispatch.domain.addresses import Index, resolve
from dispatch.domain.consignment import Leg, RequestBody
from dispatch.domain.errors import invalid
from dispatch.domain.flaws import flaws_of
from dispatch.domain.places import Gazetteer
from dispatch.domain.sheet_bodies import lost_a_zero
from labels import codes

LIGHTEST_BAND_G = 100
"""What an order weighs that says nothing: the first band of the tariff, up to 100 g."""
LONGEST_RAW = 300
LEGS: dict[str, Leg] = {"1": "pickup", "2": "return"}
"""FlagConfig: 1 = collected at the citizen and handed in at the shop, 2 = collected there, delivered to the citizen."""
DEFAULT_FLAG = "2"
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+")
_NAMES = {
    "/citizen/name": "Name",
    "/citizen/phone": "Tel",
    "/citizen/address/raw": "Address",
    "/citizen/address": "Address",
}
_OWN = {"/external_ref": "OrderNumber", "/dossier/code": "OrderNumber", "/state_fee/amount": "CODAmount"}
_OWN |= {"/weight_g": "Weight", "/note": "Description", "/state_fee/mandate_id": "MandateId"}

Warning = Literal["unknown_province", "unknown_district", "district_contradicted"]


@dataclass(frozen=True)
class Order:
    """An order as it was read; `body` lacks only its natural key, which counts the attempts."""

    number: str
    leg: Leg
    item_code: str | None
    customer_code: str | None
    body: dict[str, Any]
    warnings: tuple[Warning, ...]

    def request(self, attempt: int, shop_id: str | None) -> RequestBody:
        """The request of the n-th attempt; raises `Invalid` that points at the order's own fields."""
        try:
            return RequestBody.model_validate(
                {**self.body, "external_ref": reference(self.number, attempt), "shop_id": shop_id}
            )
        except ValidationError as error:
            first = flaws_of(error)[0]
            pointer = field_of(first.pointer, self.leg)
            raise invalid(
                pointer, "validation_failed", f"{pointer.strip('/')}: {first.vi}.", f"{pointer.strip('/')}: {first.en}."
            ) from error


def reference(number: str, attempt: int) -> str:
    """The natural key of an attempt; the leg is the request's kind."""
    return f"{number}#{attempt}"


def attempt_of(external_ref: str) -> int:
    """Which attempt a natural key counts; 1 for a request that came by another way."""
    count = external_ref.rpartition("#")[2]
    return int(count) if "#" in external_ref and count.isdecimal() and len(count) < 6 else 1


def field_of(pointer: str, leg: Leg) -> str:
    """Where an order says what a request says at `pointer`."""
    group = "Sender" if leg == "pickup" else "Receiver"
    if pointer in _NAMES:
        return f"/{group}{_NAMES[pointer]}"
    return f"/{_OWN[pointer]}" if pointer in _OWN else pointer


def fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What an object says, by lower-case names; groups are laid flat (`Sender: {Tel}` is `sendertel`)."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}{inner}".lower(): deeper for inner, deeper in value.items()}
        else:
            flat[name.lower()] = value
    return flat


def text_of(given: Mapping[str, Any], name: str) -> str:
    """A field as text without outer spaces; empty where it is absent or null. Raises `Invalid` for anything else."""
    value = given.get(name.lower())
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid(f"/{name}", "validation_failed", f"{name}: phải là chữ hoặc số.", f"{name}: text or a number.")
    return str(value).strip()


def leg_of(given: Mapping[str, Any]) -> Leg:
    """Which way an order goes. Raises `Invalid` for a FlagConfig nobody knows."""
    flag = text_of(given, "FlagConfig") or DEFAULT_FLAG
    if flag not in LEGS:
        raise invalid(
            "/FlagConfig",
            "validation_failed",
            "FlagConfig: 1 = thu gom hồ sơ tại nhà dân, 2 = trả kết quả cho dân.",
            "FlagConfig: 1 = collect from the citizen, 2 = return to the citizen.",
        )
    return LEGS[flag]


def number_of(given: Mapping[str, Any]) -> str:
    """The dossier code an order is about. Raises `Invalid` where it is none."""
    number = text_of(given, "OrderNumber")
    if not codes.is_valid_dossier_code(number):
        raise invalid(
            "/OrderNumber",
            "invalid_dossier_code",
            "OrderNumber không phải mã hồ sơ đúng mẫu.",
            "OrderNumber is not a dossier code such as 000.00.16.H32-200402-0015.",
        )
    return number


def item_code_of(given: Mapping[str, Any]) -> str | None:
    """The item code a shop brings, compact; None where it brings none. Raises `Invalid` for no S10 number."""
    written = text_of(given, "ItemCode")
    if not written or codes.is_valid(written):
        return codes.compact(written) or None
    raise invalid(
        "/ItemCode",
        "invalid_item_id",
        f"ItemCode: «{written[:20]}» không phải số hiệu bưu gửi S10 đúng số kiểm tra.",
        f"ItemCode: “{written[:20]}” is not a UPU S10 number with its check digit.",
    )


def read_order(raw: Mapping[str, Any], index: Index) -> Order:
    """Read an order; raises `Invalid` with a pointer to its own field."""
    given = fields(raw)
    leg, number = leg_of(given), number_of(given)
    group = "Sender" if leg == "pickup" else "Receiver"
    phone, email = text_of(given, f"{group}Tel"), text_of(given, f"{group}Email")
    if lost_a_zero("phone", phone):
        raise invalid(
            f"/{group}Tel",
            "leading_zero_lost",
            f"{group}Tel: «{phone}» mất số 0 ở đầu.",
            f"{group}Tel: “{phone}” has lost its leading zero.",
        )
    address, warnings = _address(given, group, index)
    body: dict[str, Any] = {
        "kind": leg,
        "dossier": {"code": number},
        "citizen": {
            "name": text_of(given, f"{group}Name"),
            "phone": phone,
            # Such systems fill in a made-up address where the citizen has none.
            "email": email if _EMAIL.fullmatch(email) else None,
            "address": address,
        },
        "weight_g": _whole(given, "Weight") or LIGHTEST_BAND_G,
        "note": text_of(given, "Description"),
        "metadata": {"customer_code": text_of(given, "CustomerCode")} if text_of(given, "CustomerCode") else {},
    }
    amount = _whole(given, "CODAmount")
    if amount:
        body["state_fee"] = {"amount": amount, "mandate_id": text_of(given, "MandateId") or None}
    return Order(
        number=number,
        leg=leg,
        item_code=item_code_of(given),
        customer_code=text_of(given, "CustomerCode") or None,
        body=body,
        warnings=warnings,
    )


def _whole(given: Mapping[str, Any], name: str) -> int:
    written = text_of(given, name) or "0"
    if not re.fullmatch(r"\d{1,12}", written):
        raise invalid(
            f"/{name}",
            "validation_failed",
            f"{name}: phải là số nguyên không âm.",
            f"{name}: a whole number, not negative.",
        )
    return int(written)


def _address(given: Mapping[str, Any], group: str, index: Index) -> tuple[dict[str, Any], tuple[Warning, ...]]:
    """The citizen's address: what is written, made sure by the names of the district and province of the codes.

    With a district it is read on the map of 2020 alone; where the text surely names another, the text holds.
    """
    written = text_of(given, f"{group}Address")
    if not written:
        raise invalid(f"/{group}Address", "validation_failed", f"Thiếu {group}Address.", f"{group}Address is missing.")
    provinces, districts = _units_2020(index.gazetteer)
    province = provinces.get(_code(given, f"{group}Province", 2))
    district_code = _code(given, f"{group}District", 3)
    district = districts.get(district_code)
    warnings: list[Warning] = []
    if province is None and _code(given, f"{group}Province", 2):
        warnings.append("unknown_province")
    if district is None and district_code:
        warnings.append("unknown_district")
    named = [district[0], district[1]] if district else [province] if province else []
    raw = ", ".join([written, *named])
    if len(raw) > LONGEST_RAW:
        raw = written
    era = "2020" if district else None
    if district is not None:
        found = resolve(index, raw, None, era, None, None)
        if found.status == "exact" and found.commune is not None and found.commune.district_code != district_code:
            warnings.append("district_contradicted")
    return {"raw": raw, "era": era}, tuple(warnings)


def _code(given: Mapping[str, Any], name: str, digits: int) -> str:
    """A code as the map writes it, from a number or a text with or without leading zeros; empty for 0 and for none."""
    written = text_of(given, name).lstrip("0")
    return written.zfill(digits) if written else ""


@lru_cache(maxsize=4)
def _units_2020(gazetteer: Gazetteer) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Names of provinces by code, and (name, province's name) of districts by code, on the map of 2020."""
    provinces: dict[str, str] = {}
    districts: dict[str, tuple[str, str]] = {}
    for commune in gazetteer:
        if commune.era == "2020" and commune.district_code is not None:
            provinces[commune.province_code] = commune.province_name
            districts[commune.district_code] = (commune.district_name or "", commune.province_name)
    return provinces, districts
