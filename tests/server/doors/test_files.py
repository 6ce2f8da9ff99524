"""The files of the page, as they are served."""

import re

from tertulia.server.doors.files import _without_comments, read_page


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


def test_comments_that_fill_lines_and_indentation_are_left_out():
    source = b"""
/** A comment
 * of some lines
 */
export const a = 1; // kept
// not kept
  const b = "/* kept */";
/* one line */
"""
    assert (
        _without_comments(source)
        == b"""export const a = 1; // kept
const b = "/* kept */";
"""
    )
