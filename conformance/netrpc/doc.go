// Package netrpc is the table of contents of the cross tests over net/rpc. They run hosts
// and plugins built on Jackfield against hosts and plugins built on hashicorp/go-plugin.
// They run as separate processes, in both directions. The package has no code of its own.
//
//   - ourprobe: the probe of the conformance suite on transport-netrpc
//   - ourplugin: the plugin program
//   - theirhost_*_test.go: a go-plugin host runs our plugin through its scenarios
//   - ourhost_*_test.go: our host, inside the test process, runs go-plugin's
//     plugin and, for symmetry, ours
//
// The go-plugin side is in conformance/goplugin.
package netrpc
