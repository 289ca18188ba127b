// Package goplugin is the table of contents of the conformance peers built on
// hashicorp/go-plugin v1.8.0. It has no code of its own. Its tests run the peers against
// each other, so a difference from Jackfield is not a mistake in the peers.
//
//   - shared: cookie, names, messages and the probe's service, free of go-plugin
//   - probeplugin: the probe as a go-plugin plugin, for hosts and plugins
//   - recorder: records and searches go-plugin's log
//   - plugin: the plugin program
//   - host: the host program and its scenarios
package goplugin
