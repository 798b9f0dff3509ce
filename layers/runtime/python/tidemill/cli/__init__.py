"""The command line: `tidemill submit`, `tidemill dlq redrive`, ... Thin over the service layer; needs the extra [cli].

`app` lists the commands, `commands_*` hold them, `render` prints, `exits` turns every error into a message
and an exit code, `target` is the stack that a command works on.
"""
