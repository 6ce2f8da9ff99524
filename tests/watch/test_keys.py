"""The keys of the view: which are bound, and how the help explains them."""

from tertulia.i18n import set_language
from tertulia.watch.keys import KEYS, bindings, help_rows


def test_every_key_with_an_action_is_bound_and_the_others_are_left_to_the_widgets():
    bound = {binding.key: binding.action for binding in bindings()}
    assert bound["s"] == "app.sort"
    assert bound["question_mark,f1,h"] == "app.help"
    assert {"up", "tab"} & set(bound) == set()
    assert "" not in bound.values()


def test_only_the_key_that_stops_the_program_comes_before_the_widgets():
    assert [binding.key for binding in bindings() if binding.priority] == ["ctrl+z"]
    assert not any(binding.show for binding in bindings())


def test_the_help_explains_every_key_in_the_language_of_the_user():
    assert help_rows()[1] == ("s", "sort the threads in another order")
    assert help_rows()[4] == ("↑ ↓", "choose a thread: the line below explains it")
    set_language("es")
    assert help_rows()[1][1].startswith("ordenar")
    assert len(help_rows()) == len(KEYS)
