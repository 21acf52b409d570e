"""Mistakes that people make in policies: name -> the shipped policy with that one mistake in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial


def swap(old: str, new: str, policy: str) -> str:
    """One word for another."""
    if old not in policy:
        raise ValueError(f"the shipped policy has no {old!r} any more; correct the mistake that wants it")
    return policy.replace(old, new, 1)


def add(text: str, policy: str) -> str:
    """One more policy."""
    return f"{policy}\n{text}\n"


def wrong(when: str) -> Callable[[str], str]:
    """A further forbid with this condition."""
    return partial(add, f'@id("x") forbid (principal, action == Action::"approve", resource) when {{ {when} }};')


def headed(head: str, effect: str = "forbid") -> Callable[[str], str]:
    """A further policy with this head."""
    return partial(add, f'@id("x") {effect} ({head}) when {{ context.risk > 2 }};')


WRONG: Mapping[str, Callable[[str], str]] = {
    "an empty file": lambda _: "",
    "a missing semicolon": partial(swap, "resource);", "resource)"),
    "a missing bracket": partial(swap, "resource);", "resource;"),
    "a word that is no effect": partial(swap, "permit (", "allow ("),
    "no id": partial(swap, '@id("people-ask")', ""),
    "an empty id": partial(swap, '@id("people-ask")', '@id("")'),
    "an id twice": partial(swap, '@id("people-ask")', '@id("approvers-decide")'),
    "an attribute of the context misspelt": wrong("context.rsk > 1"),
    "an attribute of a person misspelt": wrong("principal.scope.isEmpty()"),
    "an attribute that places do not have": wrong('resource.owner == "me"'),
    "a number as text": wrong('context.risk > "1"'),
    "a set as one value": wrong('context.parameters == "target=all" && context.parameters like "x"'),
    "a comparison of persons with text": wrong('principal in "anna"'),
    "a function that does not exist": wrong("context.parameters.includes(1)"),
    "an unknown action": headed('principal, action == Action::"aprove", resource'),
    "an action that is none": headed('principal, action == Act::"approve", resource'),
    "an unknown kind of person": headed("principal is Human, action, resource"),
    "an agent as approver": headed("principal is Agent, action, resource", "permit"),
    "a place as a person": headed('principal == Scope::"workspace", action, resource'),
    "a person as a place": headed('principal, action, resource == Person::"owner"'),
    "a misspelt role in a forbid": headed('principal in Role::"deployr", action, resource'),
    "a misspelt approver role": partial(swap, 'principal in Role::"approver",', 'principal in Role::"aprover",'),
    "a misspelt person": headed('principal == Person::"ownr", action, resource'),
    "a misspelt scope": headed('principal, action, resource in Scope::"worksapce"'),
    "a misspelt capability": headed('principal, action, resource == Capability::"workspace.mak"'),
    "a template": headed("principal in ?principal, action, resource"),
    "everybody may approve": partial(add, '@id("x") permit (principal, action, resource);'),
    "nobody may approve": partial(add, '@id("x") forbid (principal, action == Action::"approve", resource);'),
    "guests may ask": partial(swap, "when { principal.external };", "when { principal.external && context.risk > 3 };"),
    "scopes are forgotten": partial(swap, "when { resource in principal.scopes };", ";"),
}
