package protogen

import (
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// The template's own code is made by buf.
func TestTheCodeIsWhatMakeGenerateMakes(t *testing.T) {
	template, err := render.ReadFolder(t.Context(), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bare := render.Tree{}
	var sets []string
	for p, data := range template {
		if !render.IsGenerated(p) {
			bare[p] = data
		} else if p[len(p)-3:] != ".go" {
			sets = append(sets, p)
		}
	}
	if err := bare.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := Generate(t.Context(), dir, sets); err != nil {
		t.Fatal(err)
	}
	made, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for p, want := range template {
		if !render.IsGenerated(p) {
			continue
		}
		n++
		if string(made[p]) != string(want) {
			t.Errorf("%s is another than buf's", p)
		}
	}
	if n < 5 || len(made) != len(template) {
		t.Errorf("compared %d files; there are %d, and %d in the template", n, len(made), len(template))
	}
}
