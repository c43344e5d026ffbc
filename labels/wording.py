"""How a label writes money, times, counts and weights: Vietnamese habits, the same on every format."""

from datetime import date, datetime, timedelta, timezone

# Vietnam keeps UTC+7 all year; a fixed offset needs no time-zone database.
VIETNAM_TIME = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")


def dong(amount_dong: int) -> str:
    """Write an amount of whole đồng with points between the thousands.

    >>> dong(1250000), dong(-26000), dong(0)
    ('1.250.000 ₫', '−26.000 ₫', '0 ₫')
    """
    sign = "−" if amount_dong < 0 else ""
    return f"{sign}{_grouped(abs(amount_dong))} ₫"


def clock_and_day(instant: datetime) -> str:
    """Write an aware instant as Vietnamese clock time and day; seconds are cut, so the promise never reads later.

    >>> from datetime import timezone
    >>> clock_and_day(datetime(2026, 11, 24, 8, 10, 59, tzinfo=timezone.utc))
    '15:10 · 24/11'
    """
    return instant.astimezone(VIETNAM_TIME).strftime("%H:%M · %d/%m")


def full_day(day: date) -> str:
    """Write a date with its weekday; an aware instant is read in Vietnamese time.

    >>> full_day(date(2026, 11, 24))
    'Thứ Ba 24/11/2026'
    """
    if isinstance(day, datetime):
        day = day.astimezone(VIETNAM_TIME)
    return f"{_WEEKDAYS[day.weekday()]} {day.day:02d}/{day.month:02d}/{day.year}"


def plain_day(day: date) -> str:
    """Write a date in figures; an aware instant is read in Vietnamese time.

    >>> plain_day(date(2020, 4, 7))
    '07/04/2020'
    """
    if isinstance(day, datetime):
        day = day.astimezone(VIETNAM_TIME)
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def clock_and_full_day(instant: datetime) -> str:
    """Write an aware instant as Vietnamese clock time and date; seconds are cut.

    >>> from datetime import timezone
    >>> clock_and_full_day(datetime(2020, 4, 17, 10, 0, tzinfo=timezone.utc))
    '17:00 17/04/2020'
    """
    return f"{instant.astimezone(VIETNAM_TIME):%H:%M} {plain_day(instant)}"


def number(value: int | float) -> str:
    """Write a number as Vietnam does: points between the thousands, one decimal after a comma where it is no integer.

    >>> number(12500), number(37.5), number(-3)
    ('12.500', '37,5', '−3')
    """
    sign = "−" if value < 0 else ""
    if isinstance(value, int):
        return sign + _grouped(abs(value))
    return sign + f"{abs(value):,.1f}".translate(str.maketrans(",.", ".,"))


def weight(weight_g: int) -> str:
    """Write a weight in grams.

    >>> weight(1250)
    '1.250 g'
    """
    return f"{_grouped(weight_g)} g"


def papers(count: int) -> tuple[str, str]:
    """Write how many papers are in the cover, in Vietnamese and English; never which ones.

    >>> papers(3), papers(1)
    (('3 giấy tờ', '3 papers'), ('1 giấy tờ', '1 paper'))
    """
    return f"{count} giấy tờ", "1 paper" if count == 1 else f"{count} papers"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", ".")
