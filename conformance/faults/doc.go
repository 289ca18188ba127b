// Package faults shows, test by test, what hashicorp/go-plugin v1.8.0 does in
// situations that its users met, so that what Jackfield does in the same place
// has something to stand beside.
//
// Each fault has a number (F3), a file (f03_test.go) and a test (TestF3) with a
// subtest for each library. The subtest "goplugin" asserts the fault where it
// shows every time, so it fails once go-plugin no longer has it; where it is a
// race, the subtest logs how often it showed and asserts nothing. The subtest
// "jackfield" asserts that the same situation does no harm to our host, and none
// to our plugin where the plugin's side is concerned.
//
// Hosts and plugins are real processes: the test binary run again in a role
// (see roles in roles_test.go). What a test needs of the file system and of
// processes is its world (world_test.go), which takes everything down again.
package faults
