// Package netrpc is the table of contents of the cross tests over net/rpc: hosts
// and plugins built on Jackfield against hosts and plugins built on
// hashicorp/go-plugin, as separate processes, in both directions. It has no code
// of its own.
//
//   - ourprobe: the probe of the conformance suite on transport-netrpc
//   - ourplugin: the plugin program
//   - theirhost_*_test.go: a go-plugin host puts our plugin through its scenarios
//   - ourhost_*_test.go: our host, inside the test process, runs go-plugin's
//     plugin and, for symmetry, ours
//
// The go-plugin side is in conformance/goplugin.
package netrpc
