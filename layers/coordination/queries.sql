-- name: keep(id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, created_at)!
INSERT INTO proposal
    (id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, state, created_at)
VALUES
    (:id, :conversation_id, :workspace, :base_commit, :base_tree, :result_tree, :diff, :summary, :author, 'proposed', :created_at)
ON CONFLICT (id) DO NOTHING;

-- name: by_id(id)^
SELECT id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, state, commit_id, note, stages, created_at
FROM proposal
WHERE id = :id;

-- name: mark(id, before, after, commit_id, note)!
UPDATE proposal
SET state = :after, commit_id = :commit_id, note = :note
WHERE id = :id AND state = :before;

-- name: choices(proposal)
SELECT * FROM choice WHERE proposal = :proposal ORDER BY place, chooser;

-- name: choice(key)^
SELECT * FROM choice WHERE key = :key;

-- name: keep_choice(proposal, request, place, chooser, key, left_out, file, page, now)!
INSERT INTO choice (proposal, request, place, chooser, key, left_out, file, page, changed_at)
VALUES (:proposal, :request, :place, :chooser, :key, :left_out, :file, :page, :now)
ON CONFLICT (proposal, place, chooser) DO UPDATE
SET key = :key, left_out = :left_out, file = :file, page = :page, changed_at = :now;

-- name: drop_choice(key)!
DELETE FROM choice WHERE key = :key;

-- name: explain(id, note)!
UPDATE proposal SET note = :note WHERE id = :id AND state <> 'proposed';

-- name: keep_stages(id, stages)!
UPDATE proposal SET stages = :stages WHERE id = :id;

-- name: park(id, proposal, request, ref, commit_id, tree, facts, now)!
INSERT INTO parked (id, proposal, request, ref, commit_id, tree, facts, choice, decided_by, number, created_at)
SELECT :id, :proposal, :request, :ref, :commit_id, :tree, :facts, 'open', '', count(*), :now
FROM parked
WHERE proposal = :proposal;

-- name: unpark(id)!
DELETE FROM parked WHERE id = :id AND choice = 'open';

-- name: parked(id)^
SELECT id, proposal, request, ref, commit_id, tree, facts, choice, decided_by FROM parked WHERE id = :id;

-- name: parked_for(proposal)^
SELECT id, proposal, request, ref, commit_id, tree, facts, choice, decided_by FROM parked
WHERE proposal = :proposal ORDER BY number DESC LIMIT 1;

-- name: choose_parked(id, before, after, decided_by)!
UPDATE parked SET choice = :after, decided_by = :decided_by WHERE id = :id AND choice = :before;

-- name: open_changeset(id, actor, workspace, digest, lease, now)!
INSERT INTO changeset (id, actor, workspace, digest, lease, state, created_at)
VALUES (:id, :actor, :workspace, :digest, :lease, 'open', :now);

-- name: changeset(id)^
SELECT id, actor, workspace, digest, lease, proposal, state, note, stages FROM changeset WHERE id = :id;

-- name: open_changesets(actor)^
SELECT count(*) AS count FROM changeset WHERE actor = :actor AND ended_at IS NULL;

-- name: tie_changeset(id, proposal)!
UPDATE changeset SET proposal = :proposal WHERE id = :id AND proposal IS NULL AND ended_at IS NULL;

-- name: hand_over(old, new)!
UPDATE changeset SET proposal = :new WHERE proposal = :old AND ended_at IS NULL;

-- name: end_changeset(id, state, note, stages, now)!
UPDATE changeset
SET state = :state, note = :note, stages = :stages, proposal = NULL, ended_at = :now
WHERE id = :id AND ended_at IS NULL;

-- name: close_changeset(proposal, now)!
UPDATE changeset SET ended_at = :now WHERE proposal = :proposal AND ended_at IS NULL;

-- name: follow_changeset(before, after)!
UPDATE changeset SET proposal = :after, ended_at = NULL WHERE proposal = :before;

-- name: lease_of(proposal)^
SELECT lease FROM changeset WHERE proposal = :proposal AND lease <> '';

-- name: given_lease(lease)^
SELECT id FROM changeset WHERE lease = :lease AND ended_at IS NULL AND lease <> '' LIMIT 1;

-- name: ask_for(id, request)!
UPDATE proposal SET request = :request WHERE id = :id;

-- name: open_workspace(id, root)!
INSERT INTO workspace (id, root, fence, tickets) VALUES (:id, :root, 0, 0)
ON CONFLICT (id) DO NOTHING;

-- name: workspaces()
SELECT id, root FROM workspace ORDER BY root, id;

-- name: lock_workspace(id)^
SELECT id, root, fence, tickets FROM workspace WHERE id = :id;

-- name: lock_workspace__postgresql(id)^
SELECT id, root, fence, tickets FROM workspace WHERE id = :id FOR UPDATE;

-- name: count_workspace(id, fence, tickets)!
UPDATE workspace SET fence = :fence, tickets = :tickets WHERE id = :id;

-- name: ask_lease(id, workspace, ticket, actor, is_person, worker, paths, ends_at, asked_at)!
INSERT INTO lease (id, workspace, ticket, actor, is_person, worker, paths, state, fence, ends_at, asked_at)
VALUES (:id, :workspace, :ticket, :actor, :is_person, :worker, :paths, 'waiting', 0, :ends_at, :asked_at);

-- name: lease(id)^
SELECT id, workspace, ticket, actor, is_person, worker, paths, state, fence, ends_at FROM lease WHERE id = :id;

-- name: live_leases(workspace)
SELECT id, workspace, ticket, actor, is_person, worker, paths, state, fence, ends_at
FROM lease
WHERE workspace = :workspace AND state IN ('waiting', 'held')
ORDER BY ticket;

-- name: move_lease(id, before, after, fence, ends_at)!
UPDATE lease SET state = :after, fence = :fence, ends_at = :ends_at WHERE id = :id AND state = :before;

-- name: begin_landing(new_head, old_head, workspace, proposal, fence, branch, old_commit, new_commit, now)!
INSERT INTO landing
    (new_head, old_head, workspace, proposal, fence, branch, old_commit, new_commit, state, created_at)
VALUES
    (:new_head, :old_head, :workspace, :proposal, :fence, :branch, :old_commit, :new_commit, 'applying', :now)
ON CONFLICT (new_head) DO NOTHING;

-- name: open_landings(workspace)
SELECT new_head, old_head, workspace, proposal, fence, branch, old_commit, new_commit
FROM landing
WHERE workspace = :workspace AND state = 'applying'
ORDER BY created_at;

-- name: settle_landing(new_head, after, now)!
UPDATE landing SET state = :after, settled_at = :now WHERE new_head = :new_head AND state = 'applying';

-- name: landings(workspace)
SELECT new_head, old_head, proposal, fence, branch, old_commit, new_commit, state, created_at, settled_at
FROM landing
WHERE workspace = :workspace
ORDER BY created_at, fence;

-- name: landing(new_head)^
SELECT new_head, old_head, workspace, proposal, fence, branch, old_commit, new_commit, state, created_at, settled_at
FROM landing
WHERE new_head = :new_head;

-- name: newest_landings(workspace, few)
SELECT new_head, old_head, workspace, proposal, fence, branch, old_commit, new_commit, state, created_at, settled_at
FROM landing
WHERE workspace = :workspace
ORDER BY created_at DESC, fence DESC
LIMIT :few;
