"""Notifications tells people."""

from libs.chassis.service import Service
from libs.contracts.events import (
    NotificationFailed,
    NotificationSent,
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
from services.notifications.api import router
from services.notifications.commands import ReportBounce, SetPreferences
from services.notifications.deliver import deliver
from services.notifications.handlers.facts import (
    ask_how_it_was,
    forget_person,
    forget_program,
    invite_both_and_plan_reminders,
    remember_person_welcome_and_tell_what_waited,
    remember_program,
    remember_that_it_was_missed,
    stop_all_contact,
    tell_both_that_it_ended_or_thank_them,
    tell_both_that_it_is_cancelled,
    tell_both_that_they_are_a_pair,
    warn_the_office,
)
from services.notifications.handlers.reminders import (
    plan_reminders_once_the_program_is_known,
    remind_both_of_their_meeting,
)
from services.notifications.handlers.results import record_what_became_of_the_notice
from services.notifications.handlers.wishes import set_preferences, stop_writing_to_the_address
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person, Program
from services.notifications.store.sessions import Pair, Session
from services.notifications.work import Delivered, PlanReminders, Remind, SendNotice

service = Service(
    name="notifications",
    keeps=[Program, Person, Pair, Session, KeptNotice],
    hears={
        ProgramPublished: remember_program,
        ParticipantEnrolled: remember_person_welcome_and_tell_what_waited,
        ParticipantWithdrawn: stop_all_contact,
        PairCreated: tell_both_that_they_are_a_pair,
        PairEnded: tell_both_that_it_ended_or_thank_them,
        PairAtRisk: warn_the_office,
        SessionScheduled: invite_both_and_plan_reminders,
        SessionCancelled: tell_both_that_it_is_cancelled,
        SessionCompleted: ask_how_it_was,
        SessionMissed: remember_that_it_was_missed,
    },
    erases={
        ProgramPublished: forget_program,
        ParticipantEnrolled: forget_person,
        ParticipantWithdrawn: forget_person,
    },
    obeys={SetPreferences: set_preferences, ReportBounce: stop_writing_to_the_address},
    prepares={SendNotice: deliver},
    wakes={
        SendNotice: record_what_became_of_the_notice,
        Delivered: record_what_became_of_the_notice,
        Remind: remind_both_of_their_meeting,
        PlanReminders: plan_reminders_once_the_program_is_known,
    },
    says={Person: [NotificationSent, NotificationFailed]},
    http=[router],
)
