"""Who may do what, from the files of the home: people, manifests and the policy, as control's `Rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.app.making import names_of, workspace_of, workspaces_of
from bot.config import BulkheadFile, PersonTable, Settings
from layers import control, transport
from layers.store import Tx, read_store


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


def open_policy(home: Path, members: tuple[control.Member, ...], catalog: control.Catalog) -> control.PolicyFile:
    """The policy of a home, loaded.

    Raises:
        Misconfigured: it is refused.
    """
    policy = control.PolicyFile(home, lambda: members, lambda: catalog)
    policy.load()
    return policy


def members_now(tx: Tx, file: BulkheadFile) -> tuple[control.Member, ...]:
    """Everybody who is known at this moment, those who were paired included; roles and scopes are the file's."""
    of_file = {member.person.id: member for member in members_of(file)}
    return tuple(member_of(known, of_file) for known in transport.everybody(tx))


def member_of(known: transport.Known, of_file: Mapping[str, control.Member]) -> control.Member:
    """Somebody of the tables, as policies see them."""
    member = of_file.get(known.person.id) or control.Member(person=known.person)
    others = tuple(role for role in member.roles if role != control.APPROVER)
    return replace(member, roles=(control.APPROVER, *others) if known.is_approver else others)


async def read_members(settings: Settings, file: BulkheadFile) -> tuple[control.Member, ...]:
    """Everybody without a house: those of bulkhead.toml as it stands now, and whoever was let in, from the database.

    Raises:
        Misconfigured, Unavailable: there is a database, and it cannot be read.
    """
    of_file = {member.person.id: member for member in members_of(file)}
    if not has_database(settings):
        return tuple(of_file.values())
    async with read_store(settings.store_url) as store:
        paired = [known for known in await transport.look_everybody(store) if not known.is_of_file]
    return (*of_file.values(), *(member_of(known, {}) for known in paired if known.person.id not in of_file))


def has_database(settings: Settings) -> bool:
    """Whether there is one already. A server's is."""
    url = settings.store_url
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


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
    names = names_of(workspaces_of(settings, file))
    return control.Catalog.load(settings.home / "capabilities", workspace_of(settings, file), names)


async def read_rulebook(settings: Settings, file: BulkheadFile) -> tuple[control.Catalog, control.Rules]:
    """The same without a house, for the command line.

    Raises:
        Misconfigured, Unavailable: a file is refused, or the database cannot be read.
    """
    catalog, members = read_catalog(settings, file), await read_members(settings, file)
    return catalog, make_rules(members, catalog, open_policy(settings.home, members, catalog))
