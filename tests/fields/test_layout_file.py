"""A layout is read strictly: what it must say, and where it is wrong."""

from __future__ import annotations

import pytest
from an_office import a_layout

from visitsync.errors import LayoutError
from visitsync.fields.bindings import bindings, columns_of, wanted
from visitsync.fields.labels import Labels
from visitsync.service.reading import shipped_layouts


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"top": 'colour = "red"'}, "colour"),
        ({"visit": "colour = 1"}, "visit"),
        ({"kind": "docx"}, "file.kind"),
        ({"file": 'encoding = "sjis"'}, "file.encoding"),
        ({"kind": "ndjson", "file": 'encoding = "cp932"'}, "file.encoding"),
        ({"file": 'delimiter = ";;"'}, "file.delimiter"),
        ({"kind": "tsv", "file": 'delimiter = ";"'}, "file.delimiter"),
        ({"file": "header_rows = 0"}, "file.labels"),
        ({"kind": "fixed_width"}, "file.fields"),
        ({"file": 'fields = { "a" = [1, 2] }'}, "file.fields"),
        ({"kind": "fixed_width", "file": 'fields = { "a" = [1, 2] }'}, "file.record_length"),
        (
            {"kind": "fixed_width", "file": 'record_length = 5\nfields = { "a" = [5, 2] }'},
            "file.fields a",
        ),
        (
            {
                "kind": "fixed_width",
                "file": 'encoding = "utf-16"\nrecord_length = 5\nfields = { "a" = [1, 2] }',
            },
            "file.encoding",
        ),
        (
            {
                "kind": "fixed_width",
                "file": 'record_length = 5\ntrailer_type = "T"\nfields = { "a" = [1, 2] }',
            },
            "file",
        ),
        ({"visit": 'id_made_of = ["date"]'}, "visit"),
        ({"visit": 'time = "時間"'}, "visit.time"),
        ({"visit": 'units = { column = "a", kind = "weeks" }'}, "visit.units"),
        ({"visit": 'units = { column = "a", kind = "hours", divide = 0 }'}, "visit.units"),
        ({"visit": 'place = { column = "a", codes = { "1" = "school" } }'}, "visit.place"),
        ({"visit": 'place = { column = "a", always = "home" }'}, "visit.place"),
        ({"visit": "case_no = {}"}, "visit.case_no"),
        ({"person": 'birth_date = { column = "a", styles = ["roman"] }'}, "styles"),
        ({"person": 'birth_date = { column = "a", style_from = "b" }'}, "person[1].birth_date"),
        ({"person": 'kana = { column = "a", columns = ["b"] }'}, "person[1].kana"),
        ({"person": 'kana = { column = "a", split = "" }'}, "person[1].kana.split"),
        ({"person": 'kana = { columns = ["a", "b"], split = "、" }'}, "person[1].kana.split"),
        ({"person": 'kana = { column = "a", join = "" }'}, "person[1].kana.join"),
        ({"visit": 'case_no = { column = "a", split = "、" }'}, "visit.case_no.split"),
        ({"id_line": 'id_made_of = ["case_no", "date"]'}, "visit.id_made_of"),
        ({"id_line": 'id_made_of = ["date", "visitor"]'}, "visit.id_made_of"),
        ({"more": '[rows]\ntotal = [""]'}, "rows.total"),
        ({"more": '[rows]\nditto = ["　"]'}, "rows.ditto"),
        ({"more": '[[person]]\nrole = "aunt"'}, "person[2].role"),
        ({"more": '[[service]]\ncolumn = "a"'}, "service[1].codes"),
        ({"more": '[[service]]\ncolumns = { "a" = "housework.cooking" }'}, "service[1].given"),
        ({"more": '[[service]]\ncolumn = "a"\ncodes = { "1" = "magic" }'}, "service[1]"),
        ({"more": '[notes]\neconomy = "a"'}, "notes"),
        ({"more": '[health]\nEPDS = "a"'}, "health.EPDS"),
        ({"top": 'holds = "fees"'}, "fee"),
        ({"top": 'months = { first = "2026-04" }'}, "title_says"),
        (
            {"top": 'months = { first = "R8.4" }', "more": '[title_says]\nmonth = "月"'},
            "months",
        ),
        ({"more": "[title_says]\nmonth = { row = 1 }"}, "title_says.month"),
        ({"more": "[title_says]\nmonth = { file_name = '(' }"}, "title_says.month"),
        ({"top": "= 1"}, "line"),
    ],
)
def test_a_wrong_layout_is_refused_at_its_place(parts: dict[str, str], where: str) -> None:
    with pytest.raises(LayoutError) as caught:
        a_layout(**parts)

    assert where in str(caught.value.where)


def test_a_layout_needs_date_outcome_and_people() -> None:
    for lost in ("visit.date", "visit.outcome"):
        with pytest.raises(LayoutError) as caught:
            a_layout(without=lost)
        assert caught.value.where == lost


def test_every_column_of_the_shipped_layouts_is_wanted() -> None:
    for layout in shipped_layouts():
        labels = wanted(layout)
        named = {label for _, binding in bindings(layout) for label in columns_of(binding)}
        assert set(labels) == named
        assert len({place for place, _ in bindings(layout)}) >= len(named) - 30


def test_labels_are_found_however_they_are_typed() -> None:
    labels = Labels(
        ("利用者 / 氏名", "児童 / 氏名", "住 所", "氏名#2", "ｶﾅ", "電話", "電話"), {"住所": ()}
    )

    assert labels.find("利用者/氏名") == 0
    assert labels.find("児童 ／ 氏名") == 1
    assert labels.find("住所") == 2
    assert labels.find("カナ") == 4
    assert labels.find("電話#2") == 6
    assert labels.find("電話#3") is None
    assert labels.find("氏名") is None
    assert labels.find("氏名#2") == 3
    assert labels.others(["住所", "電話", "カナ"]) == [0, 1, 3, 6]


def test_a_synonym_is_asked_only_where_the_label_itself_is_missing() -> None:
    synonyms = {"日": ("利用日", "訪問日")}

    assert Labels(("訪問日", "日"), synonyms).find("日") == 1
    assert Labels(("x", "訪問日"), synonyms).find("日") == 1
