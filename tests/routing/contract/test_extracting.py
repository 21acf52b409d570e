"""What is read from a request: the clause, its arguments, and that nothing is read where nothing is demanded."""

from __future__ import annotations

import time

import pytest

from layers.routing.contract import Kind, extract

READ = [
    ("Summarise this in under 50 words.", Kind.WORDS, {"relation": "less than", "num_words": 50}),
    ("Limit your answer to 200 words.", Kind.WORDS, {"relation": "less than", "num_words": 201}),
    ("Say it in less than two hundred words", Kind.WORDS, {"relation": "less than", "num_words": 200}),
    ("Your reply should be 10 sentences or fewer", Kind.SENTENCES, {"relation": "less than", "num_sentences": 11}),
    ("Explain it in one sentence.", Kind.SENTENCES, {"relation": "exactly", "num_sentences": 1}),
    ("Give me five bullet points about tea.", Kind.BULLETS, {"num_bullets": 5, "relation": "exactly"}),
    ("I don't want any commas.", Kind.NO_COMMA, {}),
    ("How would you describe it with no commas?", Kind.NO_COMMA, {}),
    ("Give the output in JSON format.", Kind.JSON, {}),
    ("Answer in German.", Kind.LANGUAGE, {"language": "de"}),
    ("respond in korean only", Kind.LANGUAGE, {"language": "ko"}),
    ("Return only valid JSON with the keys name and age.", Kind.JSON, {}),
    ('Avoid the words "cheap" and "free".', Kind.FORBIDDEN, {"forbidden_words": ("cheap", "free")}),
    ("Never mention pricing, discounts or tax.", Kind.FORBIDDEN, {"forbidden_words": ("pricing", "discounts", "tax")}),
    ('Include the keywords "ink" and "pen".', Kind.KEYWORDS, {"keywords": ("ink", "pen")}),
    (
        'Make sure the word "deadline" shows up twice.',
        Kind.FREQUENCY,
        {"keyword": "deadline", "frequency": 2, "relation": "at least"},
    ),
    (
        'The letter "x" should occur no more than 2 times',
        Kind.LETTERS,
        {"letter": "x", "let_frequency": 3, "let_relation": "less than"},
    ),
    (
        "Avoid using the letter k more than twice.",
        Kind.LETTERS,
        {"letter": "k", "let_frequency": 3, "let_relation": "less than"},
    ),
    ("Use at least 5 words in ALL CAPS.", Kind.CAPITAL_WORDS, {"capital_frequency": 5, "capital_relation": "at least"}),
    ("Write everything in caps.", Kind.UPPERCASE, {}),
    ("No capital letters please.", Kind.LOWERCASE, {}),
    ('End your message with "Cheers, Bob".', Kind.END, {"end_phrase": "Cheers, Bob"}),
    ('Start your reply with "Dear all".', Kind.START, {"start_phrase": "Dear all"}),
    ("Put the answer in double quotes.", Kind.QUOTATION, {}),
    ("Add a P.S. with a joke.", Kind.POSTSCRIPT, {"postscript_marker": "P.S."}),
    ('Reply with one of: "low", "high".', Kind.CHOICE, {"options": ("low", "high")}),
    ("Your answer must not exceed 280 characters.", Kind.CHARACTERS, {"relation": "less than", "num_characters": 281}),
    ("Please do not use any emoji.", Kind.WITHOUT, {"what": "emoji"}),
    (
        'First paragraph must begin with the word "Today". 3 paragraphs in total.',
        Kind.NTH_PARAGRAPH,
        {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "today"},
    ),
    (
        'Write 4 sections and mark the beginning of each with "Part 1" and so on.',
        Kind.SECTIONS,
        {"num_sections": 4, "section_spliter": "Part"},
    ),
]

NOTHING = [
    "hello",
    "What is the capital of France?",
    "Can you restart the server?",
    "Fix the bug in parser.py where the words are counted twice.",
    "How do I parse JSON in Python?",
    'Translate "good morning" into Italian.',
    "How do you say good morning in French?",
    "Write a short essay on women in German history.",
    "Why are there no commas in this file?",
    "Why is my JSON not valid?",
    "Write a function that returns JSON.",
    'Rename all files that begin with "test".',
    'Find all lines ending with "foo".',
    'I can\'t use "sudo" on this machine.',
    "Do not use the `edit` tool.",
    "Convert this postscript file to PDF.",
    "What does cout << x << endl do?",
    "Does it need double quotes within the string?",
    "He fired 3 bullets at the wall.",
    "I ate at most three apples and my sister two pears.",
    "They each send 2 letters a week that are 5 pages long.",
    'Rewrite this: "You must write at least 300 words and never ever use any commas in it at all."',
]


@pytest.mark.parametrize(("text", "kind", "args"), READ)
def test_a_demand_is_read(text: str, kind: Kind, args: dict[str, object]) -> None:
    assert [(clause.kind, dict(clause.args)) for clause in extract(text)] == [(kind, args)]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_read_where_nothing_is_demanded(text: str) -> None:
    assert extract(text) == ()


def test_a_sentence_with_two_demands_gives_two_clauses() -> None:
    clauses = extract('The mail must include the keyword "launch" and should not use any commas.')
    assert {clause.kind for clause in clauses} == {Kind.KEYWORDS, Kind.NO_COMMA}


def test_a_range_gives_both_ends() -> None:
    ends = [(clause.args["relation"], clause.args["num_words"]) for clause in extract("Write 100 to 150 words.")]
    assert ends == [("at least", 100), ("less than", 151)]


@pytest.mark.parametrize("text", ["Use 2 to 3 bullet points.", "Use between 2 and 3 bullets.", "Use 2 or 3 bullets."])
def test_of_a_range_of_bullets_the_lower_end_is_read(text: str) -> None:
    (clause,) = extract(text)
    assert dict(clause.args) == {"num_bullets": 2, "relation": "at least"}


def test_a_wish_is_soft_and_a_demand_is_hard() -> None:
    assert [clause.is_hard for clause in extract("If possible, use no commas.")] == [False]
    assert [clause.is_hard for clause in extract("Use no commas.")] == [True]


def test_a_standing_demand_is_told_from_one_for_this_answer() -> None:
    assert [clause.is_standing for clause in extract("From now on answer in French.")] == [True]
    assert [clause.is_standing for clause in extract("Answer in French.")] == [False]


@pytest.mark.parametrize("piece", ['"', "[[", "at least ", "***", "1 ", "not ", "<<", "the word ", "İ"])
def test_hostile_text_is_read_in_time(piece: str) -> None:
    began = time.process_time()
    extract(piece * (40_000 // len(piece)))
    assert time.process_time() - began < 5  # seconds; a pattern that runs away takes minutes
