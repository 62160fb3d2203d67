"""Days and months of the calendar."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

DAY = timedelta(days=1)
LAST_DAY = date(2199, 12, 31)  # to which law is held and plans are made; nothing is said of later ones


def month_date(start: date, month: int) -> date:
    """``start`` and so many calendar months, at most the month's last day."""
    years, place = divmod(start.month - 1 + month, 12)
    year = start.year + years
    return date(year, place + 1, min(start.day, calendar.monthrange(year, place + 1)[1]))
