// Package goplugin is the table of contents of the conformance peers that are
// built on hashicorp/go-plugin v1.8.0. It has no code of its own; its tests run
// the peers against each other, so that a difference seen against Jackfield is
// not a mistake of theirs.
//
//   - shared: cookie, names, messages and the probe's service, free of go-plugin
//   - probeplugin: the probe as a go-plugin plugin, for hosts and plugins
//   - recorder: what go-plugin logs, kept and searched
//   - plugin: the plugin program
//   - host: the host program and its scenarios
package goplugin
