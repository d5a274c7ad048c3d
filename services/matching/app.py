"""Matching decides who mentors whom."""

from libs.chassis.service import Service
from libs.contracts.events import (
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ParticipantWithdrawn,
    ProgramPublished,
    SessionCompleted,
)
from services.matching import api, round_api
from services.matching.commands import AskForRound, EndPair, EnrolParticipant, PublishProgram, WithdrawParticipant
from services.matching.everybody import propose_for_everybody
from services.matching.handlers.making import make_pairs_among_everybody, make_pairs_that_still_hold
from services.matching.handlers.pairs import (
    complete_pair_when_its_series_is_done,
    end_pair,
    end_pairs_of_closed_program,
)
from services.matching.handlers.people import (
    enrol_participant,
    forget_participant,
    remember_participant,
    remember_withdrawal,
    withdraw_participant,
)
from services.matching.handlers.programs import forget_program, publish_program, remember_program, settle_places
from services.matching.handlers.rounds import (
    ask_for_round,
    begin_round,
    give_round_up,
    make_pairs_of_sheet,
    note_that_lists_are_dropped,
    note_what_is_swept,
)
from services.matching.plan_rounds import drop_lists, plan_whole_round, sweep_attempts
from services.matching.propose import LooksAtArrivals, find_pairs_to_end, find_people_to_settle
from services.matching.store.pairs import Pair
from services.matching.store.people import Person, Program
from services.matching.store.rounds import Attempt, Finding, Round
from services.matching.work import (
    DropLists,
    EndPairs,
    EverybodyMatched,
    MakePairs,
    MatchEverybody,
    MatchWaiting,
    PairsProposed,
    PairsToEnd,
    PeopleToSettle,
    PlanRound,
    RoundFailed,
    RoundPlanned,
    SettlePlaces,
    SweepAttempts,
)

service = Service(
    name="matching",
    keeps=[Program, Person, Pair, Round, Attempt, Finding],
    hears={
        ProgramPublished: remember_program,
        ParticipantEnrolled: remember_participant,
        ParticipantWithdrawn: remember_withdrawal,
        SessionCompleted: complete_pair_when_its_series_is_done,
    },
    erases={
        ProgramPublished: forget_program,
        ParticipantEnrolled: forget_participant,
        ParticipantWithdrawn: forget_participant,
    },
    obeys={
        PublishProgram: publish_program,
        EnrolParticipant: enrol_participant,
        WithdrawParticipant: withdraw_participant,
        EndPair: end_pair,
        AskForRound: ask_for_round,
    },
    prepares={
        MatchWaiting: LooksAtArrivals().propose_pairs,
        MatchEverybody: propose_for_everybody,
        PlanRound: plan_whole_round,
        SweepAttempts: sweep_attempts,
        DropLists: drop_lists,
        SettlePlaces: find_people_to_settle,
        EndPairs: find_pairs_to_end,
    },
    wakes={
        MatchWaiting: make_pairs_that_still_hold,
        PairsProposed: make_pairs_that_still_hold,
        MatchEverybody: make_pairs_among_everybody,
        EverybodyMatched: make_pairs_among_everybody,
        PlanRound: begin_round,
        RoundPlanned: begin_round,
        RoundFailed: give_round_up,
        MakePairs: make_pairs_of_sheet,
        SweepAttempts: note_what_is_swept,
        DropLists: note_that_lists_are_dropped,
        SettlePlaces: settle_places,
        PeopleToSettle: settle_places,
        EndPairs: end_pairs_of_closed_program,
        PairsToEnd: end_pairs_of_closed_program,
    },
    says={
        Program: [ProgramPublished],
        Person: [ParticipantEnrolled, ParticipantWithdrawn],
        Pair: [PairCreated, PairEnded],
    },
    http=[api.router, round_api.router],
)
