"""What a workspace starts with, so that a patch and a `make` can be tried in the first minute."""

README = """\
# Workspace

The agent and you change the files here together: a patch is shown, a person approves it, then it is committed.

Send this to try it:

```
/patch
--- a/README.md
+++ b/README.md
@@ -1 +1 @@
-# Workspace
+# Our workspace
```

And `/run workspace.make target=hello` asks to run `make hello` here.
"""

MAKEFILE = """\
.PHONY: hello
hello:
\t@echo "Hello from the workspace."
"""

README_AND_MAKEFILE = {"README.md": README, "Makefile": MAKEFILE}
