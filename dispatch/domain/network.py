"""What the operator tells us about the network: the bodies of `PUT /v1/admin/…`, which an import file holds too."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.consignment import Era
from dispatch.domain.hours import IsoDate, Weekday
from dispatch.domain.text import (
    CommuneCode,
    Instant,
    Latitude,
    Line,
    Longitude,
    Name,
    Phone,
    PlainObject,
    ProvinceCode,
    Shape,
    ShortLine,
    Word,
)


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


AreaClass = Annotated[ShortLine, StringConstraints(min_length=1)]
"""How hard an area is to serve, in the words of its list: `REMOTE`, `A` or `B` of TT 28/2015/TT-BTTTT …
(659/UBND-KGVX 27/3/2020 §3)."""
TerrainWord = Annotated[Literal["town", "plain", "hills", "high_mountain"], BeforeValidator(_lower)]
"""The ground a courier rides on, where the packaged class is wrong."""


class Room(Shape):
    """A waiting room with a capacity (905/UBND-PVHCC 30/3/2020 §2.1: not more than 20 people at one time)."""

    id: Word
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    slot_minutes: Annotated[int, Field(ge=1, le=480)]


class ShopBody(Shape):
    """A one-stop shop."""

    name: Name
    province_code: ProvinceCode
    commune_code: CommuneCode
    era: Era
    lat: Latitude
    lng: Longitude
    level: Annotated[Literal["PROVINCE", "DISTRICT", "COMMUNE"], BeforeValidator(_upper)]
    hours_profile: Word = "OSS-DEFAULT"
    rooms: Annotated[list[Room], Field(max_length=50)] = []
    refuses_paper_from: IsoDate | None = None

    @model_validator(mode="after")
    def _each_room_once(self) -> Self:
        if len({room.id for room in self.rooms}) < len(self.rooms):
            raise PydanticCustomError("room_twice", "names one room twice")
        return self


class OfficeBody(Shape):
    """A post office; `live` says what becomes of the better plans found whenever something happens: nothing, a draft,
    or new rounds at once.
    """

    name: Name
    province_code: ProvinceCode
    commune_code: CommuneCode
    era: Era
    lat: Latitude
    lng: Longitude
    hours_profile: Word = "POST-DEFAULT"
    live: Annotated[Literal["off", "propose", "commit"], BeforeValidator(_lower)] = "off"


class Point(Shape):
    """A point on the map, WGS84 degrees."""

    lat: Latitude
    lng: Longitude


class CommuneRef(Shape):
    """A commune by code and era."""

    code: CommuneCode
    era: Era


class CourierBody(Shape):
    """A courier; `pin` is kept as an argon2 hash only. Skill `HCC`: of the dedicated public-service force.

    `max_distance_m`: so many metres a day at most. `rest_minutes`: between the end of one day's shift and the first
    ride of the next (12 hours after a shift: Labour Code 45/2019/QH14 art 110).
    """

    name: Name
    phone: Phone
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
    home_office_id: Word
    skills: Annotated[list[Word], Field(max_length=30)] = []
    capacity_items: Annotated[int, Field(ge=0, le=10_000)] = 40
    vehicle: Word = "MOTORBIKE"
    base: Point | None = None
    communes: Annotated[list[CommuneRef | CommuneCode], Field(max_length=400)] = []
    max_distance_m: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    rest_minutes: Annotated[int, Field(ge=0, le=1440)] | None = None


class Break(Shape):
    """A rest: it starts inside the window and lasts so many minutes."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    minutes: Annotated[int, Field(ge=1, le=240)]


class ShiftBody(Shape):
    """When and from where a courier rides on one date."""

    starts_at: Instant
    ends_at: Instant
    start: Point | None = None
    breaks: Annotated[list[Break], Field(max_length=10)] = []


class PointBody(Shape):
    """A reception point where people hand in and take out (2964/UBND-KSTT 1/4/2020 §3); dates inclusive."""

    name: Name
    kind: Annotated[Literal["POST_OFFICE", "BDVHX", "COMMITTEE_DESK"], BeforeValidator(_upper)]
    commune_code: CommuneCode
    era: Era
    area_class: AreaClass | None = None
    hours_profile: Word = "POST-DEFAULT"
    active_from: IsoDate | None = None
    active_to: IsoDate | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.active_from is not None and self.active_to is not None and self.active_to < self.active_from:
            raise PydanticCustomError("range_reversed", "active_to lies before active_from")
        return self


class CommuneBody(Shape):
    """How a commune is served: on which weekdays couriers call on people there (none named = every day)."""

    service_days: Annotated[list[Weekday], Field(max_length=7)] = []
    area_class: AreaClass | None = None
    terrain: TerrainWord | None = None

    @model_validator(mode="after")
    def _each_day_once(self) -> Self:
        if len(set(self.service_days)) < len(self.service_days):
            raise PydanticCustomError("day_twice", "names one weekday twice")
        return self


class RuleOverrideBody(Shape):
    """One shop's own parameters for a rule, with the reason (905/UBND-PVHCC 30/3/2020 §2.2); dates inclusive."""

    params: Annotated[PlainObject, Field(min_length=1)]
    reason: Annotated[Line, StringConstraints(min_length=1)]
    valid_from: IsoDate
    valid_to: IsoDate | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("range_reversed", "valid_to lies before valid_from")
        return self


class TrainingBody(Shape):
    """A teller was trained to promote filing online or by post (Vĩnh Phúc, March 2020, §3)."""

    teller_id: Word
    teller_name: Name
    office_id: Word | None = None
    topic: Name
    held_on: IsoDate
