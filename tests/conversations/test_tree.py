from conversations.tree import Node, Tree

# question ── answer ─┬─ more ── answer to more
#          │          └─ edited more ── its answer
#          └─ other answer
TREE = Tree(
    [
        Node("question", None, 2),
        Node("answer", "question", 2),
        Node("more", "answer", 4),
        Node("answer to more", "more", 4),
        Node("other answer", "question", 6),
        Node("edited more", "answer", 8),
        Node("its answer", "edited more", 8),
    ]
)


def test_a_path_goes_from_the_first_question_down() -> None:
    assert TREE.path_to("its answer") == ["question", "answer", "edited more", "its answer"]
    assert TREE.path_to(None) == []


def test_versions_are_the_siblings_oldest_first() -> None:
    assert TREE.versions("answer") == ("answer", "other answer")
    assert TREE.versions("edited more") == ("more", "edited more")
    assert TREE.versions("question") == ("question",)


def test_questions_at_the_root_are_versions_of_each_other_in_the_order_they_came() -> None:
    tree = Tree([Node("second", None, 5), Node("first", None, 2)])
    assert tree.versions("first") == ("first", "second")


def test_the_newest_leaf_is_where_the_talk_last_went_on() -> None:
    assert TREE.newest_leaf("question") == "its answer"
    assert TREE.newest_leaf("more") == "answer to more"
    assert TREE.newest_leaf("other answer") == "other answer"


def test_a_conversation_may_be_deeper_than_the_stack_of_python() -> None:
    tree = Tree([Node("0", None, 0), *(Node(str(i), str(i - 1), i) for i in range(1, 5000))])
    assert tree.newest_leaf("0") == "4999"
    assert len(tree.path_to("4999")) == 5000
