"""How long things live and how often they are looked at, in seconds: the numbers that promises 7 and 9 rest on.

A heartbeat comes at least three times in a lifetime, so that one slow write loses nothing.
"""

TICKET_LIFETIME_SECONDS = 25
"""A dead waiter blocks nobody for longer than this."""
TICKET_HEARTBEAT_SECONDS = 5

STACKS_LEFT_SECONDS = 600
"""How long after the end of one stack's operation a deployment of several is still carried on to the next by an adopter. After
that it counts as failed: whoever waits must not wait for ever for a run that nobody can start."""
HOLD_LIFETIME_SECONDS = 60
"""A dead holder is taken over (or adopted) no sooner than this."""
HOLD_HEARTBEAT_SECONDS = 15

SLOT_LEASE_SECONDS = 60
"""The shortest lease that Prefect grants."""
SLOT_ATTEMPT_SECONDS = 5
"""One attempt at the slot; between attempts the waiter keeps its ticket alive and looks at its deadline."""

SLOT_PATIENCE_SECONDS = 90
"""A slot that stays taken for longer, though nobody has the hold, has leaked: a lease and its repair are shorter."""

LATE_ARRIVAL_SECONDS = 25
"""A request made earlier, whose process has not joined the queue yet, is waited for no longer than this."""

WAIT_POLL_SECONDS_LOCAL = 0.2
WAIT_POLL_SECONDS_REMOTE = 1.0
"""How often a waiter looks whether it is its turn: registry in a file, registry over the network."""

WAITING_NOTICE_SECONDS = 60
"""How often the channel is told that a deployment still waits."""
STACK_CHECK_SECONDS = 5
"""How often the head of the queue looks whether a stranger's operation has ended."""

NEVER_STARTED_SECONDS = 60
"""An operation whose token no event carries for so long was never started."""
COMMAND_SILENCE_SECONDS = 30
COMMAND_GRACE_SECONDS = 10
"""An environment's command is ended when its engine is dead, or has been silent for so long; then it has this long to end.

Together they are shorter than what is left of a hold that was renewed a heartbeat ago: before anybody may take the
environment from a stopped engine, its command is dead."""
COMMAND_DEATH_SECONDS = 20
"""So long after its process was found dead, nothing of a command is left that could begin another operation: its grace,
and as much again for clocks that disagree."""
COMMAND_QUIET_SECONDS = 5
"""A command that has ended, and of whose operation no event tells for so long, has begun none."""
ADOPTIONS_AT_MOST = 10
"""A run that keeps dying while it adopts is left to the sweep, which records its operation's end without a run."""
ORPHAN_LOOK_SECONDS = 10
"""An operation that no run may carry on with (a person cancelled it) is looked at by a sweep this soon, and again."""
BEGINNINGS_AT_MOST = 3
"""A run whose process died before it was on record is started again no oftener than this."""
NEVER_RECORDED_SECONDS = 60
"""A run that Prefect believes to be under way for so long, and that is on no record, has no process."""
RUN_END_SECONDS = 30
"""A run that goes on for so long after its deployment's end is on record has no process."""
SWEEP_AGAIN_SECONDS = 65
"""While a deployment is active, the next sweep comes this soon: a process that dies now can be told dead then."""
OUTBOX_FLUSH_SECONDS = 5
"""How long a run that has ended waits for its last message; after that the scheduled delivery sends it.

No delivery of a run waits longer for its turn in the channel either, so none outlives its run by more."""
DELIVERY_PASS_SECONDS = 45
"""How long one pass of the scheduled delivery waits for turns in channels, all in all: the next begins after a minute."""

CATCH_UP_SECONDS = 120
CATCH_UP_POLL_SECONDS = 2
"""How long a deployment that ended in an outage of the registry waits for its return, and how often it looks."""
