"""When each message is due: wave slot, recipient's clock, quiet hours, ramp step, rate slot.

All of it is known before, and without, the arm.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from engine.declare.spec import Campaign, QuietHours
from engine.store.tables import to_micros

EARLIEST = timezone(timedelta(hours=14))
"""The zone whose day begins first; a wave on the recipients' clocks is frozen at its slot there."""
_LATEST = "Etc/GMT+12"
"""The zone whose day begins last."""
_POSITIONS = 1 << 63


@lru_cache(maxsize=1024)
def zone(name: str | None, otherwise: str) -> ZoneInfo:
    """A time zone by name; the other one where the name is absent or unknown."""
    try:
        return ZoneInfo(name) if name else ZoneInfo(otherwise)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(otherwise)


def slot_name(local: datetime) -> str:
    """A slot as its local time, which a clock change cannot double."""
    return local.replace(tzinfo=None).isoformat(timespec="seconds")


def freeze_at(campaign: Campaign, local: datetime) -> datetime:
    """When the audience of a slot is frozen."""
    if campaign.schedule is not None and campaign.schedule.clock == "recipient":
        return local.replace(tzinfo=EARLIEST).astimezone(UTC)
    return local.astimezone(UTC)


def quiet_until(quiet: QuietHours | None, at: datetime, clock: ZoneInfo) -> datetime | None:
    """The end of the quiet hours that an instant lies in, or None outside of them."""
    if quiet is None or quiet.from_ == quiet.to:
        return None
    local = at.astimezone(clock)
    now = local.time().replace(tzinfo=None)
    over_night = quiet.from_ > quiet.to
    inside = now >= quiet.from_ or now < quiet.to if over_night else quiet.from_ <= now < quiet.to
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_night and now >= quiet.from_ else 0)
    return _later(datetime.combine(day, quiet.to, clock), at)


def _later(end: datetime, at: datetime) -> datetime:
    """Where clocks go back the end comes twice; the first that lies ahead counts, in UTC."""
    first, second = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first > at else second


@dataclass(frozen=True)
class Timetable:
    """The due times of one wave."""

    campaign: Campaign
    slot: str
    """The wave's local time."""
    default_zone: str
    _micros: dict[tuple[str | None, int], int] = field(default_factory=dict, init=False, compare=False, repr=False)

    def base(self, timezone_name: str | None) -> datetime:
        """The wave's slot on the clock that counts, before quiet hours."""
        schedule = self.campaign.schedule
        local = datetime.fromisoformat(self.slot)
        own = schedule is not None and schedule.clock == "recipient"
        clock = zone(timezone_name if own else None, self.default_zone)
        return local.replace(tzinfo=clock).astimezone(UTC)

    def due(self, timezone_name: str | None, step: int) -> datetime:
        """When a ramp step's customers of a time zone are due; quiet hours make them wait."""
        return self.awake(self._slot(timezone_name, step), timezone_name)

    def _slot(self, timezone_name: str | None, step: int) -> datetime:
        schedule = self.campaign.schedule
        hold = timedelta(0) if schedule is None or schedule.ramp is None else schedule.ramp.hold.delta
        return self.base(timezone_name) + step * hold

    def awake(self, at: datetime, timezone_name: str | None) -> datetime:
        """The instant itself, or the end of the quiet hours that it lies in."""
        return self.quiet(at, timezone_name) or at

    def quiet(self, at: datetime, timezone_name: str | None) -> datetime | None:
        """The end of the quiet hours at an instant on the clock that counts for them."""
        quiet = self.campaign.quiet_hours
        if quiet is None:
            return None
        clock = zone(timezone_name if quiet.clock == "recipient" else None, self.default_zone)
        return quiet_until(quiet, at, clock)

    def due_micros(self, timezone_name: str | None, step: int) -> int:
        """The same as stored."""
        key = (timezone_name, step)
        if key not in self._micros:
            self._micros[key] = to_micros(self.due(timezone_name, step))
        return self._micros[key]

    @property
    def may_skip(self) -> bool:
        """Whether quiet hours leave anybody out."""
        quiet = self.campaign.quiet_hours
        return quiet is not None and quiet.then == "skip"

    def skips_quiet(self, timezone_name: str | None, step: int) -> bool:
        """Whether `then: skip` leaves a ramp step's customers of a time zone out of the wave."""
        return self.may_skip and self.quiet(self._slot(timezone_name, step), timezone_name) is not None

    def step(self, position: int) -> int:
        """The ramp step of a position in the hash order."""
        steps = self._steps
        if len(steps) < 2:
            return 0
        return min(bisect_right(steps, position / _POSITIONS), len(steps) - 1)

    @cached_property
    def _steps(self) -> list[float]:
        schedule = self.campaign.schedule
        return [] if schedule is None or schedule.ramp is None else [share.value for share in schedule.ramp.steps]

    @property
    def per_second(self) -> float | None:
        """The most messages a second, or None without a limit."""
        schedule = self.campaign.schedule
        return None if schedule is None or schedule.max_rate is None else schedule.max_rate.per_second

    def is_missed(self, due_at: datetime, now: datetime) -> bool:
        """Whether a message that was due then is too late now."""
        missed_before = self.missed_before(now)
        return missed_before is not None and due_at < missed_before

    def missed_before(self, now: datetime) -> datetime | None:
        """Messages that were due before this instant are too late now; None where none ever is."""
        schedule = self.campaign.schedule
        return None if schedule is None or schedule.if_missed is None else now - schedule.if_missed.grace

    def is_missed_whole(self, now: datetime) -> bool:
        """Whether every message of the wave is too late, wherever its recipient lives.

        Where quiet hours, a ramp or a rate spread the messages, that is decided one by one.
        """
        schedule = self.campaign.schedule
        spread = schedule is not None and (schedule.ramp is not None or schedule.max_rate is not None)
        together = not spread and self.campaign.quiet_hours is None
        return together and self.is_missed(self.base(_LATEST), now)

    def is_expired(self, due_at: datetime, now: datetime) -> bool:
        """Whether an unsent message is not to be sent any more."""
        schedule = self.campaign.schedule
        return schedule is not None and schedule.expires is not None and now > due_at + schedule.expires.delta


def period(renew: str, at: datetime, default_zone: str) -> str:
    """The global holdout's period that an instant lies in, such as 2026-Q4."""
    local = at.astimezone(zone(None, default_zone))
    match renew:
        case "monthly":
            return f"{local.year}-{local.month:02}"
        case "quarterly":
            return f"{local.year}-Q{(local.month + 2) // 3}"
        case "yearly":
            return str(local.year)
        case _:
            return "ever"
