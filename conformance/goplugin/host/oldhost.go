package main

// versionsVariable is what old hosts do not send (protocol §1).
const versionsVariable = "PLUGIN_PROTOCOL_VERSIONS"

// withoutListCommand as this program's first argument has it take the list of
// versions out of its environment and become the command that follows. go-plugin
// sends the list always and last, so only the launched program can remove it.
const withoutListCommand = "exec-without-list"
