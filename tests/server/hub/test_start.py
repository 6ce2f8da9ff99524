"""The state with which a chat begins: that of an earlier run, or a new one."""

from datetime import UTC, datetime

from hub_chat import Keeper

from tertulia.server.hub.records import Hook, no_records
from tertulia.server.hub.start import Start, start_from

MOMENT = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)


def test_without_a_keeper_each_start_is_a_new_chat():
    first, second = start_from(None, MOMENT), start_from(None, MOMENT)
    assert first == Start(first.epoch, 0, no_records, ())
    assert len(first.epoch) == 16
    assert first.epoch != second.epoch
    assert first.records(Hook) == []


def test_with_a_keeper_the_chat_goes_on_where_it_ended():
    keeper = Keeper()
    keeper.rows = [Hook(key="hash", name="build", operator="ana", time="")]
    asked: list[datetime] = []
    recent = [(4_900, "2026-11-22T15:00:00.000Z", "ana", "nonce")]

    def nonces(moment: datetime) -> list[tuple[int, str, str, str]]:
        asked.append(moment)
        return recent

    keeper.nonces = nonces
    start = start_from(keeper, MOMENT)
    assert (start.epoch, start.last_seq) == ("epoch", 5_000)
    assert (start.nonces, asked) == (recent, [MOMENT])
    assert start.records(Hook) == keeper.rows
