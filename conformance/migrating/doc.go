// Package migrating has one small application twice, before and after its move
// from hashicorp/go-plugin to Jackfield. docs/migrating.md quotes both.
//
// The application checks the style of a text. Its rules are plugins over gRPC,
// which report each fault to the host through the broker. The tests run each host
// with each plugin, compare the page with go-plugin's exported API, and hold the
// differences in behaviour that the page names.
package migrating
