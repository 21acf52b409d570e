"""What Dovecot and Exim are told; names in braces are filled in. `chroot =` lets Dovecot run without root."""

from __future__ import annotations

DOVECOT = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = imap lmtp submission
hostname = mx.example.test
submission_relay_host = 127.0.0.1
submission_relay_port = {smtp}
submission_relay_trusted = no
submission_max_recipients = 50
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
auth_verbose = yes
mail_location = maildir:{root}/mail/%n
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = {uid}
first_valid_gid = {gid}
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%n {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%n
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-urlauth-login {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = {submissions}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
  unix_listener lmtp {{
    mode = 0600
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
"""

EXIM = """\
keep_environment = PATH : LD_LIBRARY_PATH
primary_hostname = mx.example.test
exim_path = {program}
spool_directory = {root}/spool
log_file_path = {root}/exim-%slog
pid_file_path = {root}/exim.pid
daemon_smtp_ports = {smtp}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
qualify_domain = example.test
acl_smtp_rcpt = rcpt
acl_smtp_data = data
never_users =
trusted_users = {user}
log_selector = +all
smtp_accept_max_per_connection = 1000
return_path_remove = false
begin acl
rcpt:
  deny  message = 554 5.7.1 The account is blocked from sending due to abusive activity
        local_parts = abuse
  defer message = 451 4.7.1 Greylisted, please come back later
        local_parts = greylisted
        condition = ${{if !exists{{{root}/known}}}}
  defer message = 452 4.2.2 Mailbox full
        local_parts = full
  deny  message = 550 5.1.1 No such user here
        local_parts = refused
  accept
data:
  accept
begin routers
gone:
  driver = redirect
  local_parts = vanished
  allow_fail
  data = :fail: Unknown user
local:
  driver = accept
  local_parts = ! vanished
  transport = lmtp
begin transports
lmtp:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  port = {lmtp}
  allow_localhost
  hosts_override
  return_path_add
begin retry
* * F,1h,5s
"""
