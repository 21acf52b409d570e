"""Who may do what, from the files of the home: people, manifests and the policy, as control's `Rules`."""

from __future__ import annotations

from pathlib import Path

from bot.app.making import workspace_of
from bot.config import BulkheadFile, PersonTable, Settings
from layers import control


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


def make_rules(file: BulkheadFile, catalog: control.Catalog, policy: control.PolicyEngine) -> control.Rules:
    """What control decides by."""
    members = members_of(file)
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
    return catalog, make_rules(file, catalog, open_policy(settings.home, file, catalog))
