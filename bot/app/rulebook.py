"""Who may do what, from the files of the home: people, manifests and the policy, as control's `Rules`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.app.making import workspace_of
from bot.config import BulkheadFile, PersonTable, Settings
from layers import control, transport
from layers.store import Tx


def members_of(file: BulkheadFile) -> tuple[control.Member, ...]:
    """Everybody in bulkhead.toml, as policies see them."""
    return tuple(
        control.Member(
            person=person,
            roles=roles_of(file.people[id]),
            scopes=file.people[id].scopes,
        )
        for id, person in file.persons.items()
    )


def roles_of(table: PersonTable) -> tuple[str, ...]:
    """Their own, and `approver`."""
    return tuple(dict.fromkeys((*([control.APPROVER] if table.approver else []), *table.roles)))


def open_policy(home: Path, file: BulkheadFile, catalog: control.Catalog) -> control.PolicyFile:
    """The policy of a home, loaded.

    Raises:
        Misconfigured: it is refused.
    """
    members = members_of(file)
    policy = control.PolicyFile(home, lambda: members, lambda: catalog.scopes)
    policy.load()
    return policy


def members_now(tx: Tx, file: BulkheadFile) -> tuple[control.Member, ...]:
    """Everybody who is known at this moment, those who were paired included; roles and scopes are the file's."""
    of_file = {member.person.id: member for member in members_of(file)}
    found = []
    for known in transport.everybody(tx):
        member = of_file.get(known.person.id) or control.Member(person=known.person)
        others = tuple(role for role in member.roles if role != control.APPROVER)
        found.append(replace(member, roles=(control.APPROVER, *others) if known.is_approver else others))
    return tuple(found)


def rules_now(
    file: BulkheadFile, catalog: control.Catalog, policy: control.PolicyEngine, signer: control.Signer, tx: Tx
) -> control.Rules:
    """What a running house decides by, at this moment and in every process."""
    return replace(make_rules(members_now(tx, file), catalog, policy), signer=signer)


def make_rules(
    members: tuple[control.Member, ...], catalog: control.Catalog, policy: control.PolicyEngine
) -> control.Rules:
    """What control decides by."""
    return control.Rules(
        approvers=tuple(member.person for member in members if member.is_approver),
        manifests=catalog.digests,
        risks=catalog.risks,
        people=members,
        policy=policy,
    )


def read_catalog(settings: Settings, file: BulkheadFile) -> control.Catalog:
    """The capabilities of a home."""
    return control.Catalog.load(settings.home / "capabilities", workspace_of(settings, file))


def read_rulebook(settings: Settings, file: BulkheadFile) -> tuple[control.Catalog, control.Rules]:
    """The same without a house, for the command line.

    Raises:
        Misconfigured: a file is refused.
    """
    catalog = read_catalog(settings, file)
    return catalog, make_rules(members_of(file), catalog, open_policy(settings.home, file, catalog))
