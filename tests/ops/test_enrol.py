"""Two passes over a file, without servers."""

from datetime import timedelta

import pytest

from libs.contracts.events import ParticipantEnrolled
from libs.ops.enrol import Outcome
from libs.ops.failures import Misused
from libs.ops.known import Known
from libs.ops.names import synthetic_id
from libs.ops.speaker import event_id
from tests.ops.files import HEADER, NOW, Listener, mapping, reasons, write

GRACE = "1,Grace Hopper,mentee,9,,yes"
MINA = "2,Mina Rao,mentee,7,Grace Hopper,yes"
ADA = '3,"King, Ada",mentor,2,"Rao, Mina",yes'


def test_the_chain_of_managers_is_found_by_name_whatever_the_order_of_rows(tmp_path):
    hr = Listener()

    report = hr.run(write(tmp_path, ADA, MINA, GRACE))

    assert report.counts == {Outcome.ENROLLED: 3}
    assert (hr.chain("3"), hr.chain("2"), hr.chain("1")) == (("2", "1"), ("1",), ())


def test_a_field_comes_from_its_column_else_from_a_table_else_from_a_constant(tmp_path):
    tables = [{"column": "role", "rows": {"Mentor": {"grade": 2, "unit": "Labs"}}, "otherwise": {}}]
    hr = Listener()

    hr.run(
        write(tmp_path, "3,Ada,mentor,,,yes", "4,Bea,mentor,5,,yes", "1,Grace,mentee,9,,yes"), mapping(tables=tables)
    )

    assert [(event.grade, event.unit) for event in hr.said] == [(2, "Labs"), (5, "Labs"), (9, "Retail")]
    assert hr.said[0].email == "3@people.invalid"


def test_only_rows_that_fulfil_the_conditions_count_but_the_others_still_stand_in_chains(tmp_path):
    by = mapping(where=[{"column": "role", "is": ["mentor"]}])
    hr = Listener()

    report = hr.run(write(tmp_path, ADA, MINA, GRACE), by)

    assert report.counts == {Outcome.ENROLLED: 1, Outcome.LEFT_OUT: 2}
    assert hr.chain("3") == ("2", "1")


def test_bad_rows_are_told_with_line_and_reason_and_the_good_ones_go_on(tmp_path):
    path = write(
        tmp_path,
        GRACE,
        "2,Mina Rao,mentee,high,,yes",
        "",
        '3,"Ada\nKing",mentor,2,,yes',
        "4,Bea,boss,2,,yes",
        "5,Cleo,mentor",
        "1,Grace Again,mentee,9,,yes",
        ",Nobody,mentor,1,,yes",
        "a/b,Dora,mentor,1,,yes",
        "7,,mentor,1,,yes",
        "8,Eve,mentor,1,,perhaps",
        "9,Fay,mentor,1,,no",
        "10,Gil,mentor,1,,",
    )
    hr = Listener()

    told = reasons(hr.run(path))

    assert [event.participant_id for event in hr.said] == ["1", "3"]
    assert list(told) == [3, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    assert told[3] == "grade: not a whole number"
    assert told[7].startswith("role: ")
    assert told[8] == "3 fields, the header has 6"
    assert told[9] == "participant_id: line 2 has it already"
    assert told[10] == "participant_id: is empty"
    assert told[11].startswith("participant_id: ")
    assert told[12].startswith("name: ")
    assert told[13].startswith("consent: neither")
    assert told[14] == "consent: not given"
    assert told[15].startswith("consent: the file does not say it")


def test_assumed_consent_fills_silence_and_never_turns_a_no(tmp_path):
    hr = Listener()

    report = hr.run(write(tmp_path, "1,Grace,mentee,9,,", "2,Mina,mentee,7,,no"), assume=True)

    assert [event.participant_id for event in hr.said] == ["1"]
    assert reasons(report) == {3: "consent: not given"}


def test_a_later_no_is_passed_on_so_that_matching_can_end_the_pair(tmp_path):
    hr = Listener()
    hr.run(write(tmp_path, GRACE))

    report = hr.run(write(tmp_path, GRACE.replace("yes", "no")))

    assert report.counts == {Outcome.CHANGED: 1}
    assert not hr.said[0].consent.matching


def test_the_same_file_again_says_nothing(tmp_path):
    hr, path = Listener(), write(tmp_path, ADA, MINA, GRACE)
    hr.run(path)

    report = hr.run(path, now=NOW + timedelta(days=1))

    assert (report.counts, hr.said) == ({Outcome.UNCHANGED: 3}, [])


def test_a_change_is_the_next_revision_of_the_same_enrolment(tmp_path):
    hr = Listener()
    hr.run(write(tmp_path, GRACE, MINA))

    hr.run(write(tmp_path, GRACE, MINA.replace("7", "8")), now=NOW + timedelta(days=1))

    assert [(event.participant_id, event.grade, event.revision) for event in hr.said] == [("2", 8, 2)]
    assert hr.said[0].enrolled_at == NOW


def test_a_new_manager_higher_up_changes_everybody_below(tmp_path):
    hr = Listener()
    hr.run(write(tmp_path, ADA, MINA, GRACE))

    hr.run(write(tmp_path, ADA, MINA, GRACE.replace("9,,", "9,Zoe Board,")))

    board = synthetic_id("/hr/test", "Zoe Board")
    assert [event.manager_ids for event in hr.said] == [("2", "1", board), ("1", board), (board,)]


def test_changed_and_changed_back_are_three_events(tmp_path):
    hr, ids = Listener(), set()
    for grade in "787":
        hr.run(write(tmp_path, MINA.replace("7", grade)))
        ids |= {event_id("/hr/test", event, event.model_dump_json().encode()) for event in hr.said}

    assert len(ids) == 3


def test_a_profile_of_another_source_is_left_alone(tmp_path):
    hr = Listener()
    hr.known["1"] = Known(4, NOW, b"", owner="/other/hr")

    assert reasons(hr.run(write(tmp_path, GRACE))) == {2: "the profile belongs to /other/hr"}


def test_an_absent_manager_closes_the_chain_under_an_id_of_its_own_and_is_told(tmp_path):
    hr = Listener()

    report = hr.run(write(tmp_path, "1,Grace,mentee,9,Zoe Board,yes", '2,Mina,mentee,7,"Board, Zoe",yes'))

    assert hr.chain("1") == hr.chain("2") == (synthetic_id("/hr/test", "Zoe Board"),)
    assert report.notes == [f"manager Zoe Board is in no row: stands as {hr.chain('1')[0]} at the top of the chain"]


def test_an_absent_manager_refuses_the_row_and_all_below_when_the_mapping_says_so(tmp_path):
    hr = Listener()

    report = hr.run(write(tmp_path, ADA, MINA, GRACE.replace("9,,", "9,Zoe,")), mapping(managers={"absent": "refuse"}))

    assert set(reasons(report).values()) == {"manager_ids: manager Zoe is in no row"}
    assert list(reasons(report)) == [2, 3, 4]


def test_managers_in_a_circle_are_refused_and_so_is_who_stands_below(tmp_path):
    hr = Listener()

    report = hr.run(write(tmp_path, ADA, MINA, GRACE.replace("9,,", "9,Mina Rao,"), "7,Max,mentor,1,,yes"))

    assert [event.participant_id for event in hr.said] == ["7"]
    assert reasons(report)[3] == "manager_ids: the manager chain comes round: 2 > 1 > 2"
    assert reasons(report)[2] == "manager_ids: the manager chain comes round: 3 > 2 > 1 > 2"


def test_who_names_herself_is_a_circle_or_the_top_as_the_mapping_says(tmp_path):
    path = write(tmp_path, GRACE.replace("9,,", "9,Grace Hopper,"), MINA)

    assert list(reasons(Listener().run(path))) == [2, 3]
    hr = Listener()
    hr.run(path, mapping(managers={"own_manager": "top"}))
    assert (hr.chain("1"), hr.chain("2")) == ((), ("1",))


def test_a_manager_who_could_be_two_people_refuses_the_row_until_the_mapping_says_who(tmp_path):
    path = write(tmp_path, GRACE, "5,Grace  HOPPER,mentor,3,,yes", MINA)

    assert "could be any of 1, 5 (lines 2, 3)" in reasons(Listener().run(path))[4]
    hr = Listener()
    hr.run(path, mapping(managers={"known": {"Grace Hopper": "1"}}))
    assert hr.chain("2") == ("1",)


@pytest.mark.parametrize(("choice", "refused"), [("refuse", [2, 3]), ("one_person", [])])
def test_one_absent_name_with_two_ids_is_refused_or_taken_for_one_person(tmp_path, choice, refused):
    by = mapping(managers={"id_column": "boss_id", "several_ids": choice})
    lines = ("1,Grace,mentee,9,Zoe,yes,30", "2,Mina,mentee,7,Zoe,yes,22", "3,Ada,mentor,2,Grace,yes,")

    report = Listener().run(write(tmp_path, *lines, header=HEADER + ",boss_id"), by)

    assert list(reasons(report))[:2] == refused
    assert any("2 ids (22, 30)" in text for text in [*report.notes, *reasons(report).values()])


def test_managers_can_be_given_by_id(tmp_path):
    hr = Listener()

    hr.run(write(tmp_path, "3,Ada,mentor,2,2,yes", "2,Mina,mentee,7,99,yes"), mapping(managers={"by": "id"}))

    assert hr.chain("3") == ("2", "99")


def test_a_row_that_counts_stands_for_its_id_even_below_one_that_does_not(tmp_path):
    by = mapping(where=[{"column": "role", "is_not": ["gone"]}])
    hr = Listener()

    hr.run(write(tmp_path, "3,Ada,gone,2,Old Boss,yes", "3,Ada,mentor,2,Grace Hopper,yes", GRACE), by)

    assert hr.chain("3") == ("1",)


def test_a_byte_order_mark_and_padded_cells_do_not_matter(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(f"\ufeff{HEADER}\r\n 1 ,  Grace   Hopper , mentee ,9 ,, YES \r\n".encode())
    hr = Listener()

    hr.run(path)

    assert (hr.said[0].participant_id, hr.said[0].name) == ("1", "Grace Hopper")


def test_a_row_in_another_encoding_is_refused_and_the_encoding_can_be_said(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(f"{HEADER}\n{GRACE}\n2,Zoë,mentee,7,,yes\n".encode("cp1252"))

    assert reasons(Listener().run(path)) == {
        3: "bytes that are not utf-8: say `encoding` in the mapping, for example cp1252"
    }
    hr = Listener()
    hr.run(path, mapping(encoding="cp1252"))
    assert hr.said[1].name == "Zoë"


def test_a_huge_field_and_an_open_quote_cost_their_rows_only(tmp_path):
    path = write(tmp_path, f"1,{'x' * 200_000},mentee,9,,yes", MINA, '3,"Ada,mentor,2,,yes')
    hr = Listener()

    report = hr.run(path)

    assert [event.participant_id for event in hr.said] == ["2"]
    assert [reason.split(":")[0] for reason in reasons(report).values()] == ["cannot be read", "cannot be read"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n1,2\n", "is empty"),
        (b"id;name;role;grade;boss;consent\n", "has no column id, name"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (f"{HEADER},id\n".encode(), "has the column id twice"),
    ],
)
def test_a_file_that_is_no_table_is_told_at_once(tmp_path, content, words):
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    with pytest.raises(Misused, match=words):
        Listener().run(path)


def test_a_file_with_a_header_alone_enrols_nobody(tmp_path):
    assert Listener().run(write(tmp_path)).counts == {}


def test_reasons_never_show_a_cell(tmp_path):
    report = Listener().run(
        write(tmp_path, "1,Grace,secret,9,,yes", "2,Mina,mentee,secret,,yes", "3,Ada,mentor,2,,secret")
    )

    assert len(report.refusals) == 3
    assert "secret" not in str(report.refusals)


def test_what_is_said_is_valid_in_the_language(tmp_path):
    hr = Listener()

    hr.run(write(tmp_path, GRACE))

    assert ParticipantEnrolled.model_validate_json(hr.said[0].model_dump_json(), strict=True) == hr.said[0]
