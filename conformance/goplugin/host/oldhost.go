package main

// versionsVariable is missing with old hosts (protocol §1).
const versionsVariable = "PLUGIN_PROTOCOL_VERSIONS"

// withoutListCommand, as this program's first argument, removes the list of versions from
// the environment and replaces the process with the following command. go-plugin always
// sends the list, as the last variable, so only the launched program can remove it.
const withoutListCommand = "exec-without-list"
