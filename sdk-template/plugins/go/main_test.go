package main

import (
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

func TestPluginMeetsTheApplicationsExpectations(t *testing.T) {
	notelytest.Check(t, notelytest.Open(t, &memory{}))
}
