"""From a row to a report: ids, revisions, people, services, places, fees; and what contradicts."""

from __future__ import annotations

import pytest
from an_office import LABELS, ROW, a_file, a_layout, as_plain, codes, read, the_visit, with_cells

from visitsync.fields.layout import Layout
from visitsync.schema.reading import Reading


def read_with(layout: Layout, **more: str) -> Reading:
    """One usual row with more columns."""
    return read(layout, a_file((*ROW, *more.values()), labels=(*LABELS, *more)))


def test_a_visit_that_did_not_take_place_has_no_times_but_keeps_its_day() -> None:
    visit = the_visit(read(a_layout(), a_file(with_cells(結果="取消"))))

    assert (visit.start, visit.end, visit.date.isoformat()) == (None, None, "2026-04-03")


def test_only_a_date_may_be_known() -> None:
    visit = the_visit(read(a_layout(), a_file(with_cells(開始="", 終了=""))))

    assert (visit.start, visit.end) == (None, None)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"日": "2026/2/30"}, "impossible_date"),
        ({"日": ""}, "missing_date"),
        ({"終了": "09:00"}, "end_before_start"),
        ({"終了": "12:75"}, "bad_time"),
        ({"終了": "翌6:00"}, "bad_time"),
        ({"開始": ""}, "bad_time"),
        ({"開始": "24:00", "終了": "24:00"}, "bad_time"),
        ({"結果": "延期"}, "unknown_outcome"),
        ({"結果": ""}, "unknown_outcome"),
        ({"氏名": ""}, "missing_name"),
        ({"番号": ""}, "missing_id"),
    ],
)
def test_a_wrong_cell_rejects_its_row_under_its_label(cells: dict[str, str], code: str) -> None:
    reading = read(a_layout(), a_file(with_cells(**cells), with_cells(番号="A-2")))
    (problem,) = reading.problems

    assert (problem.level, problem.row, problem.code) == ("reject", 2, code)
    assert problem.column == next(iter(cells))
    assert [v.source.row for v in reading.visits] == [3]


def test_all_wrong_cells_of_a_row_are_told_at_once() -> None:
    row = with_cells(日="2026/2/30", 終了="9", 結果="延期")

    assert codes(read(a_layout(), a_file(row))) == [
        (2, "impossible_date"),
        (2, "unknown_outcome"),
        (2, "bad_time"),
    ]


def test_overnight_ends_on_the_next_day_where_the_layout_allows_it() -> None:
    for end in ("30:00", "翌6:00"):
        row = with_cells(開始="22:00", 終了=end)
        visit = the_visit(read(a_layout(visit="overnight = true"), a_file(row)))
        assert visit.end is not None
        assert visit.end.isoformat() == "2026-04-04T06:00:00+09:00"
        assert visit.date.isoformat() == "2026-04-03"


def test_an_end_before_the_start_is_not_taken_for_overnight() -> None:
    row = with_cells(開始="22:00", 終了="6:00")

    assert codes(read(a_layout(visit="overnight = true"), a_file(row))) == [(2, "end_before_start")]


def made_of(*parts: str) -> Layout:
    names = ", ".join(f'"{part}"' for part in parts)
    return a_layout(id_line=f'case_no = "番号"\nid_made_of = [{names}]')


def test_an_id_made_of_columns_is_the_same_however_a_date_is_typed() -> None:
    layout = made_of("case_no", "date", "start", "end", "氏名")
    typed = with_cells(日="２０２６年４月３日", 開始="１０時", 氏名="花")

    for row in (typed, with_cells(氏名="花")):
        visit = the_visit(read(layout, a_file(row)))
        assert visit.source.record_id == "A-1/2026-04-03/10:00/11:00/花"


def test_an_id_keeps_the_planned_time_of_a_cancelled_visit() -> None:
    visit = the_visit(read(made_of("case_no", "start"), a_file(with_cells(結果="取消"))))

    assert visit.source.record_id == "A-1/10:00"


@pytest.mark.parametrize("empty", ["番号", "開始"])
def test_an_id_is_not_made_of_empty_cells(empty: str) -> None:
    row = with_cells(終了="", **{empty: ""})
    (problem,) = read(made_of("case_no", "date", "start"), a_file(row)).problems

    assert (problem.code, problem.column) == ("missing_id", empty)


REVISED = """
revision = { column = "版", optional = true }
[visit.state]
column = "区分"
codes = { "新" = "active", "訂" = "corrected", "取" = "voided" }
optional = true
"""


@pytest.mark.parametrize(
    ("revision", "state", "found"),
    [("1", "新", (1, "active")), ("02", "訂", (2, "corrected")), ("２", "取", (2, "voided"))],
)
def test_revision_and_state_are_read(revision: str, state: str, found: tuple[int, str]) -> None:
    visit = the_visit(read_with(a_layout(visit=REVISED), 版=revision, 区分=state))

    assert (visit.source.revision, visit.source.state) == found


@pytest.mark.parametrize(
    ("revision", "state", "code"),
    [
        ("0", "新", "bad_revision"),
        ("", "新", "bad_revision"),
        ("第二", "新", "bad_revision"),
        ("-1", "新", "bad_revision"),
        ("10000", "新", "bad_revision"),
        ("1", "5", "unknown_state"),
        ("1", "", "unknown_state"),
    ],
)
def test_no_revision_and_no_state_is_guessed(revision: str, state: str, code: str) -> None:
    assert codes(read_with(a_layout(visit=REVISED), 版=revision, 区分=state)) == [(2, code)]


def test_a_file_without_those_columns_holds_first_revisions() -> None:
    source = the_visit(read(a_layout(visit=REVISED), a_file(ROW))).source

    assert (source.revision, source.state) == (1, "active")


def test_an_empty_revision_is_what_the_layout_says() -> None:
    layout = a_layout(visit='revision = { column = "版", empty = 1 }')

    assert the_visit(read_with(layout, 版="")).source.revision == 1
    assert the_visit(read_with(layout, 版="2")).source.state == "corrected"


CHILDREN = """
[[person]]
role = "child"
name = { column = "児", split = "、" }
birth_date = { column = "生", split = "、" }
due_date = "予定日"
unborn = ["胎児"]
"""


def children(**cells: str) -> Reading:
    return read_with(a_layout(more=CHILDREN), **({"児": "", "生": "", "予定日": ""} | cells))


def test_children_in_one_cell_are_told_apart_with_their_birth_dates() -> None:
    _, first, second = the_visit(children(児="波、 凪 、", 生="2024/5、不詳")).persons

    assert (first.role, first.name, first.birth_date) == ("child", "波", "2024-05")
    assert (second.name, second.birth_date) == ("凪", None)


def test_an_expected_child_has_a_due_date_and_no_name() -> None:
    _, *expected = the_visit(children(児="胎児、胎児", 予定日="2026/12/10")).persons

    assert [(p.role, p.name, p.birth_date) for p in expected] == [
        ("expected_child", None, None)
    ] * 2
    assert expected[0].identifiers == {"due_date": "2026-12-10"}


def test_a_born_child_has_no_due_date() -> None:
    assert the_visit(children(児="波", 予定日="2026/12/10")).persons[1].identifiers == {}


@pytest.mark.parametrize("cells", [{"生": "2024/5/1"}, {"予定日": "2026/12/10"}])
def test_a_date_of_no_child_is_not_lost_silently(cells: dict[str, str]) -> None:
    one_date = a_layout(more=CHILDREN.replace('{ column = "生", split = "、" }', '"生"'))
    (problem,) = read_with(one_date, **({"児": "", "生": "", "予定日": ""} | cells)).problems

    assert (problem.level, problem.code, problem.column) == ("reject", "unequal_lists", "児")


def test_no_cell_no_child() -> None:
    assert len(the_visit(children()).persons) == 1


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"児": "波、凪", "生": "2024/5/1"}, "unequal_lists", "生"),
        ({"児": "波", "生": "2035/4/1"}, "birth_in_future", "生"),
        ({"児": "波", "生": "2024/2/30"}, "impossible_date", "生"),
        ({"児": "胎児", "予定日": "2026/2/30"}, "impossible_date", "予定日"),
    ],
)
def test_a_wrong_child_is_a_problem(cells: dict[str, str], code: str, column: str) -> None:
    (problem,) = children(**cells).problems

    assert (problem.code, problem.column) == (code, column)


def test_a_child_born_on_the_day_of_the_visit_is_no_problem() -> None:
    the_visit(children(児="波、凪", 生="2026/4/3、2026"))


COUNTED = """
[[person]]
role = { column = "産前後", codes = { "1" = "expected_child", "2" = "child" } }
count = "児数"
name = { columns = ["児1", "児2"] }
due_date = "日付"
birth_date = "日付"
"""


def counted(**cells: str) -> Reading:
    usual = {"産前後": "2", "児数": "1", "児1": "", "児2": "", "日付": "2026/3/1"}
    return read_with(a_layout(more=COUNTED), **(usual | cells))


def test_before_the_birth_children_are_counted() -> None:
    _, *expected = the_visit(counted(産前後="1", 児数="2", 日付="2026/8/1")).persons

    assert [p.identifiers for p in expected] == [{"due_date": "2026-08-01"}] * 2


def test_after_the_birth_a_child_without_a_name_is_still_a_child() -> None:
    _, *born = the_visit(counted(児数="2", 児1="波")).persons

    assert [(p.role, p.name, p.birth_date) for p in born] == [
        ("child", "波", "2026-03-01"),
        ("child", None, "2026-03-01"),
    ]


def test_no_named_child_is_lost_to_a_count() -> None:
    assert len(the_visit(counted(児数="1", 児1="波", 児2="凪")).persons) == 3


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"産前後": "3"}, "unknown_code"),
        ({"産前後": ""}, "unknown_code"),
        ({"児数": "二"}, "bad_number"),
        ({"児数": "0"}, "unequal_lists"),
        ({"児数": ""}, "unequal_lists"),
        ({"児数": "9999"}, "out_of_range"),
    ],
)
def test_an_unknown_stage_or_count_is_a_problem(cells: dict[str, str], code: str) -> None:
    assert codes(counted(**cells)) == [(2, code)]


SERVICES = """
[[service]]
given = ["○"]
not_given = ["×"]
columns = { "調理" = "housework.cooking", "通院" = "accompaniment.clinic" }
[[service]]
column = "内容"
split = "、"
codes = { "傾聴" = "consultation.listening", "授乳" = "childcare.feeding" }
"""


def services(**cells: str) -> Reading:
    return read_with(a_layout(more=SERVICES), **({"調理": "", "通院": "", "内容": ""} | cells))


def test_services_stand_in_the_order_of_the_vocabulary_each_once() -> None:
    visit = the_visit(services(調理="○", 通院="×", 内容="傾聴、授乳、傾聴"))

    assert visit.services == ("housework.cooking", "childcare.feeding", "consultation.listening")
    assert visit.place == "home"


def test_who_was_accompanied_was_not_at_home() -> None:
    assert the_visit(services(通院="○")).place == "accompaniment"


@pytest.mark.parametrize(
    "cells", [{"調理": "◎"}, {"調理": "？"}, {"内容": "踊り"}, {"内容": "傾聴。授乳"}]
)
def test_an_unknown_mark_is_never_guessed(cells: dict[str, str]) -> None:
    (problem,) = services(**cells).problems

    assert (problem.code, problem.column) == ("unknown_mark", next(iter(cells)))


MORE = """
[[visitor]]
id = { column = "員番号", split = "・" }
name = { column = "員名", split = "・" }
[fee]
class = { column = "区分", codes = { "A" = "welfare", "D" = "standard" } }
charged = "利用料"
expenses = "実費"
[notes]
notes = { columns = ["所見", "備考"], join = "／" }
[health]
epds = "EPDS"
"""
UNITS = 'units = { column = "時間数", kind = "hours", suffixes = ["時間"] }'
EMPTY = {
    "員番号": "",
    "員名": "",
    "区分": "",
    "利用料": "",
    "実費": "",
    "所見": "",
    "備考": "",
    "EPDS": "",
}


def more(**cells: str) -> Reading:
    return read_with(a_layout(visit=UNITS, more=MORE), **({**EMPTY, "時間数": ""} | cells))


def test_empty_cells_say_nothing() -> None:
    visit = the_visit(more())

    assert (visit.visitors, visit.units, visit.fee, visit.notes, visit.health) == (
        (),
        None,
        None,
        {},
        {},
    )


def test_what_filled_cells_say() -> None:
    visit = the_visit(
        more(
            員番号="1・2",
            員名="沖・浜",
            区分="D",
            利用料='"1,200円"',
            所見="良好",
            EPDS="9",
            時間数="1.50時間",
        )
    )

    assert [(one.id, one.name) for one in visit.visitors] == [("1", "沖"), ("2", "浜")]
    assert as_plain(visit.fee) == {"class": "standard", "charged": 1200, "waived": 0, "expenses": 0}
    assert as_plain(visit.units) == {"kind": "hours", "quantity": "1.5"}
    assert (visit.notes, visit.health) == ({"notes": "良好"}, {"epds": 9})


def test_words_are_taken_off_the_end_of_joined_columns_too() -> None:
    kana = 'kana = { columns = ["姓", "名"], join = " ", strip_end = ["さま"] }'
    reading = read_with(a_layout(person=kana), 姓="かくう", 名="はなこ さま")

    assert the_visit(reading).persons[0].kana == "かくう はなこ"


def test_words_may_follow_every_number() -> None:
    layout = a_layout(
        visit='revision = { column = "版", suffixes = ["版"] }',
        more="""
[fee]
class = { column = "区分", codes = { "A" = "reduced" } }
charged = { column = "料", suffixes = ["円也"], empty = 500 }
waived = { column = "減", suffixes = ["円也"] }
[health]
weight_g = { column = "体重", suffixes = ["g"] }
""",
    )
    visit = the_visit(read_with(layout, 版="２版", 区分="A", 料="", 減="1200円也", 体重="3500ｇ"))

    assert visit.source.revision == 2
    assert as_plain(visit.fee) == {
        "class": "reduced",
        "charged": 500,
        "waived": 1200,
        "expenses": 0,
    }
    assert visit.health == {"weight_g": 3500}


def test_joined_columns_leave_out_the_empty_ones() -> None:
    assert the_visit(more(所見="良好", 備考="犬あり")).notes == {"notes": "良好／犬あり"}
    assert the_visit(more(備考="犬あり")).notes == {"notes": "犬あり"}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("区分", "V", "unknown_fee_class"),
        ("利用料", "▲500", "bad_number"),
        ("時間数", "二時間半", "bad_number"),
        ("EPDS", "45", "out_of_range"),
        ("EPDS", "高", "bad_number"),
        ("備考", "繧ｭ繝」繝ｳ繧ｻ繝ｫ", "mojibake"),
    ],
)
def test_a_wrong_cell_is_told_by_code_and_column(column: str, cell: str, code: str) -> None:
    (problem,) = more(**{column: cell}).problems

    assert (problem.level, problem.code, problem.column) == ("reject", code, column)


def test_split_columns_of_a_date_are_joined_by_a_pattern() -> None:
    pattern = (
        'birth_date = { columns = ["元号", "年", "月"], join = "{}{}年{}月", styles = ["era"] }'
    )
    layout = a_layout(person=pattern)

    assert (
        the_visit(read_with(layout, 元号="平成", 年="2", 月="5")).persons[0].birth_date == "1990-05"
    )
    assert the_visit(read_with(layout, 元号="", 年="", 月="")).persons[0].birth_date is None


def test_days_of_the_month_that_the_file_states() -> None:
    layout = a_layout(
        top='dates = ["day"]',
        more=r"""[title_says]
month = { file_name = '(\d{4})-(\d)' }""",
    )
    assert codes(read(layout, a_file(with_cells(日="3日")))) == [(2, "bad_date")]
    named = a_layout(top='dates = ["day"]', more='[title_says]\nmonth = "月"')
    data = "月,令和8年4月分,,,,\r\n".encode() + a_file(with_cells(日="3日"))
    assert the_visit(read(named, data)).date.isoformat() == "2026-04-03"


def test_a_word_that_always_holds_needs_no_column() -> None:
    layout = a_layout(
        visit='place = { always = "facility" }\nbasis = { column = "根拠", empty = "measure" }'
    )
    visit = the_visit(read_with(layout, 根拠=""))

    assert (visit.place, visit.basis) == ("facility", "measure")


def test_cells_may_hold_our_own_words() -> None:
    layout = a_layout(visit='place = "場所"')

    assert the_visit(read_with(layout, 場所="facility")).place == "facility"
    assert codes(read_with(layout, 場所="school")) == [(2, "unknown_code")]


def test_the_first_of_two_equal_visits_stays() -> None:
    reading = read(a_layout(), a_file(ROW, ROW, with_cells(終了="12:00")))

    assert [v.source.row for v in reading.visits] == [2]
    assert [(p.row, p.level, p.code) for p in reading.problems] == [
        (3, "warn", "duplicate_identical"),
        (4, "reject", "duplicate_conflict"),
    ]


def test_equal_visits_are_noticed_across_files() -> None:
    reading = read(a_layout(), a_file(ROW), a_file(with_cells(終了="12:00")))

    assert [(p.file, p.code) for p in reading.problems] == [("file-2.csv", "duplicate_conflict")]


def revised(*rows: tuple[str, str, str]) -> Reading:
    """Rows of id, day and revision."""
    layout = a_layout(visit='revision = "版"')
    cells = [(*with_cells(番号=number, 日=day), version) for number, day, version in rows]
    return read(layout, a_file(*cells, labels=(*LABELS, "版")))


def test_a_correction_of_a_visit_before_this_file_is_no_orphan() -> None:
    assert codes(revised(("A-1", "2026/3/3", "3"), ("A-2", "2026/4/3", "1"))) == []
    assert codes(revised(("A-1", "2026/3/3", "3"))) == []


def test_a_correction_whose_earlier_revision_should_stand_here_is_an_orphan() -> None:
    rows = ("A-2", "2026/4/3", "1"), ("A-1", "2026/4/9", "3")

    assert codes(revised(*rows)) == [(3, "orphan_correction")]
    assert codes(revised(*rows, ("A-1", "2026/4/9", "2"), ("A-1", "2026/4/9", "1"))) == []
