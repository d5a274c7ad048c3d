"""Scheduling decides when a pair meets."""

from libs.chassis.service import Service
from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
    SessionScheduled,
)
from services.scheduling import api, calendars
from services.scheduling.commands import CancelSession, CompleteSession, ConfirmSession, MarkAbsent, MoveSession
from services.scheduling.handlers.facts import (
    cancel_future_sessions,
    forget_person,
    forget_program,
    look_again_for_a_slot,
    miss_session_nobody_confirmed,
    remember_person_and_wake_waiting_pairs,
    remember_program_and_wake_waiting_pairs,
    remember_withdrawal,
    schedule_first_session,
)
from services.scheduling.handlers.wishes import (
    cancel_session_and_replace_it,
    complete_session_and_plan_the_next,
    confirm_session,
    miss_session_and_replace_it,
    move_session,
)
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Diary, Person, Program
from services.scheduling.store.sessions import Session
from services.scheduling.work import LookAgain, NoShowCheck

service = Service(
    name="scheduling",
    keeps=[Program, Person, Diary, Pair, Session],
    hears={
        ProgramPublished: remember_program_and_wake_waiting_pairs,
        ParticipantEnrolled: remember_person_and_wake_waiting_pairs,
        ParticipantWithdrawn: remember_withdrawal,
        PairCreated: schedule_first_session,
        PairEnded: cancel_future_sessions,
    },
    erases={
        ProgramPublished: forget_program,
        ParticipantEnrolled: forget_person,
        ParticipantWithdrawn: forget_person,
    },
    obeys={
        ConfirmSession: confirm_session,
        MoveSession: move_session,
        CancelSession: cancel_session_and_replace_it,
        CompleteSession: complete_session_and_plan_the_next,
        MarkAbsent: miss_session_and_replace_it,
    },
    wakes={
        NoShowCheck: miss_session_nobody_confirmed,
        LookAgain: look_again_for_a_slot,
    },
    says={Pair: [SessionScheduled, SessionCancelled, SessionCompleted, SessionMissed, PairAtRisk]},
    http=[api.router, calendars.router],
    open_http=[calendars.feeds],
)
