"""The files of the page, as they are served."""

import re
from importlib import resources

from tertulia.server.doors.files import read_page, read_parts


def test_the_page_is_its_own_index():
    files = read_page()
    assert files["/"] is files["/index.html"]
    assert files["/"].kind == "text/html; charset=utf-8"
    assert {"/main.js", "/style.css", "/icon.svg"} <= set(files)
    assert not any("__" in path or path.endswith(".py") for path in files)


def test_the_etag_is_that_of_the_content():
    files = read_page()
    assert len({file.etag for file in files.values()}) == len({f.body for f in files.values()})
    assert all(re.fullmatch(r'"[0-9a-f]{24}"', file.etag) for file in files.values())


def test_what_only_readers_of_the_source_need_is_left_out():
    files = read_page()
    for path in ("/main.js", "/style.css"):
        assert b"/*" not in files[path].body
        assert b"\n " not in files[path].body


def test_private_names_are_short_and_strings_stay():
    files = read_page()
    sources = resources.files("tertulia").joinpath("web")
    for path, file in files.items():
        if path.endswith(".js"):
            source = sources.joinpath(path[1:]).read_text(encoding="utf-8")
            strings = re.findall(r"""["'`]#[\w-]+["'`]""", source)
            served = file.body.decode()
            assert all(each in served for each in strings)
            private = set(re.findall(r"\.#(\w+)", source))
            assert len(set(re.findall(r"\.#(\w+)", served))) == len(private)
            assert not re.search(r"\.#\w\w", served)


def test_semicolons_that_are_left_out_mean_nothing():
    sources = resources.files("tertulia").joinpath("web")
    for path, file in {**read_page(), **read_parts()}.items():
        if path.endswith(".js"):
            source = sources.joinpath(path[1:]).read_text(encoding="utf-8")
            assert ";}" not in source, "it may be in a string"
            without_body = r"\b(?:while|for|if) ?(?:\([^()]*(?:\([^()]*\)[^()]*)*\)) ?;"
            assert not re.search(without_body, source)
            assert b";}" not in file.body


def test_a_visit_needs_no_more_than_a_slow_network_can_bring():
    files = {path: file for path, file in read_page().items() if path != "/"}
    assert sum(len(file.body) for file in files.values()) <= 120 * 1024


def test_what_only_some_visits_need_is_not_loaded_by_all_of_them():
    parts = read_parts()
    assert {"/operator/desk.js", "/operator/style.css", "/order/words.es.json"} <= set(parts)
    assert not set(parts) & set(read_page())
    for file in read_page().values():
        loaded_at_once = re.findall(rb"""from ?["']\./([\w./-]+)""", file.body)
        assert not [name for name in loaded_at_once if b"/" in name]
        assert "/operator/" not in file.preloads
