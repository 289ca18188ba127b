// Package migrating has one small application twice, before and after its move from
// hashicorp/go-plugin to Jackfield. docs/migrating.md quotes both.
//
// The application checks the style of a text. Its rules are plugins over gRPC; they report
// each fault to the host through the broker. The tests run each host with each plugin, and
// compare the page with go-plugin's exported API. They also test each difference in
// behaviour named by the page.
package migrating
