"""Days and months of the calendar."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

DAY = timedelta(days=1)


def month_date(start: date, month: int) -> date:
    """``start`` and so many calendar months, at most the month's last day."""
    years, place = divmod(start.month - 1 + month, 12)
    year = start.year + years
    return date(year, place + 1, min(start.day, calendar.monthrange(year, place + 1)[1]))
