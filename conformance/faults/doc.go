// Package faults reproduces faults of hashicorp/go-plugin v1.8.0 reported by its users, and
// tests Jackfield in the same situations.
//
// Each fault has a number (F3), a file (f03_test.go) and a test (TestF3) with a subtest for
// each library. The subtest "goplugin" asserts a fault that always shows, so it fails once
// go-plugin no longer has the fault. For a race, the subtest only logs how often the fault
// showed. The subtest "jackfield" asserts that the same situation does no harm to our host,
// nor to our plugin if the plugin's side matters.
//
// Hosts and plugins are real processes: the test binary runs again in a role (see roles in
// roles_test.go). Each test has a world (world_test.go) that manages its files and
// processes, and removes them all afterwards.
package faults
