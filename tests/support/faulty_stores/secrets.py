"""Stores with faults in secrets and grace."""

from dataclasses import replace

from sessions.record import UNCHANGED, Changes, Grace, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_a_new_secret_takes_the_place_of_the_old_one")
class KeepsItsSecret(DictionaryStore):
    """A new secret is not kept."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), secret=record.secret)


@found_by("test_a_secret_is_new_since_the_commit")
class DoesNotSaySinceWhen(DictionaryStore):
    """`secret_since` stays with a new secret."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), secret_since=record.secret_since)


@found_by("test_a_secret_is_new_since_the_commit")
class SaysSinceWhenByTheRequest(DictionaryStore):
    """`secret_since` is the time at which the request came."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return record.changed_by(changes, changes.accessed_at)


@found_by("test_a_secret_is_new_since_the_commit")
class EachCommitRenews(DictionaryStore):
    """Each commit sets `secret_since`."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), secret_since=self.clock())


@found_by("test_the_secret_of_before_may_have_grace")
class GivesNoGrace(DictionaryStore):
    """A commit for the earlier secret is never applied."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(replace(record, grace=None), changes)


@found_by("test_the_secret_of_before_may_have_grace")
class ForgetsGrace(DictionaryStore):
    """`grace` of the changes is ignored."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, grace=None))


@found_by("test_grace_ends_exactly_at_its_time", "test_grace_that_is_over_is_none")
class GraceNeverEnds(DictionaryStore):
    """An earlier secret may be used for ever."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return record.outcome_of(changes, 0.0)


@found_by("test_grace_ends_exactly_at_its_time")
class GraceEndsTooLate(DictionaryStore):
    """An earlier secret may still be used at the moment at which its grace ends."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return record.outcome_of(changes, self.clock() - 0.000_000_5)


@found_by("test_grace_ends_exactly_at_its_time")
class GraceGoesByTheRequest(DictionaryStore):
    """An earlier secret may be used by a request that came in time."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return record.outcome_of(changes, changes.accessed_at)


@found_by("test_grace_is_for_values_alone")
class GraceChangesTheUser(DictionaryStore):
    """An earlier secret may sign in."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(record, replace(changes, user_id=UNCHANGED))


@found_by("test_grace_is_for_values_alone")
class GraceChangesTheTimeout(DictionaryStore):
    """An earlier secret may change the timeout."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(record, replace(changes, timeout=UNCHANGED))


@found_by("test_grace_is_for_values_alone")
class GraceChangesTheAge(DictionaryStore):
    """An earlier secret may begin the age of the session anew."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(record, replace(changes, created_at=None))


@found_by("test_grace_is_for_values_alone")
class GraceRenews(DictionaryStore):
    """An earlier secret may be renewed."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        is_lost_reply = changes.new_secret == record.secret
        asked = changes if is_lost_reply else replace(changes, new_secret=None)
        return super().outcome(record, asked)


@found_by("test_grace_is_for_values_alone")
class GraceTouches(DictionaryStore):
    """A touch for the earlier secret is applied."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        live = self.live(key)
        if live is not None and live.has_grace(secret, self.clock()):
            secret = live.secret
        return super().touch(key, secret, expires_at, accessed_at)


@found_by("test_a_renewal_without_grace_ends_the_grace_of_before")
class KeepsOldGrace(DictionaryStore):
    """A renewal without grace keeps that of before."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, grace=changed.grace or record.grace)


@found_by("test_one_earlier_secret_has_grace")
class GraceStaysWithTheFirst(DictionaryStore):
    """A second renewal leaves the grace of the first one."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, grace=record.grace or changed.grace)


@found_by("test_only_a_renewal_ends_grace")
class EachCommitEndsGrace(DictionaryStore):
    """A commit without a new secret ends grace."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, grace=changed.grace if changes.new_secret else None)


@found_by("test_only_a_renewal_ends_grace")
class EachCommitSetsGrace(DictionaryStore):
    """A commit without a new secret moves the end of grace."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        if changes.new_secret or changes.grace is None:
            return changed
        return replace(changed, grace=Grace(record.secret, changes.grace))


@found_by("test_only_a_renewal_ends_grace")
class TouchEndsGrace(DictionaryStore):
    """A touch ends grace."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return replace(super().touched(record, expires_at, accessed_at), grace=None)


@found_by("test_a_renewal_whose_reply_was_lost_is_applied_once")
class ForgetsItsReply(DictionaryStore):
    """A renewal that is repeated is SUPERSEDED."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        if record.secret != changes.secret and changes.new_secret:
            return Outcome.SUPERSEDED
        return super().outcome(record, changes)


@found_by("test_a_renewal_whose_reply_was_lost_is_applied_once")
class AppliesARenewalTwice(DictionaryStore):
    """A renewal that is repeated sets its values once more."""

    def changed(self, record: Record, changes: Changes) -> Record:
        if changes.new_secret == record.secret:
            changes = replace(changes, new_secret=None)
        return super().changed(record, changes)


@found_by("test_a_renewal_whose_reply_was_lost_is_applied_once")
class ExpectsBeforeALostReply(DictionaryStore):
    """A renewal that is repeated is asked for its expectation."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        outcome = super().outcome(record, changes)
        met = all(record.values.get(n) == v for n, v in changes.expected.items())
        return outcome if outcome is not Outcome.APPLIED or met else Outcome.CONFLICT


@found_by("test_a_repeated_renewal_is_no_renewal")
class ARepeatedRenewalRenews(DictionaryStore):
    """A renewal that is repeated sets `secret_since` once more."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, secret_since=self.clock()) if changes.new_secret else changed
