package notes_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/jackfield-go/jackfield/examples/generated/notes"
	notesv2 "github.com/jackfield-go/jackfield/examples/proto/notes/v2"
	"github.com/jackfield-go/jackfield/transport-grpc/glue/gluetest"
)

// The same plugin serves hosts of both versions.
func TestPluginAsksInEachVersion(t *testing.T) {
	impl := &notesv2.FakeNoteService{
		AddFunc: func(ctx context.Context, req *notesv2.AddRequest, approver notesv2.ApproverService) (*notesv2.AddResponse, error) {
			if approver != nil {
				if _, err := approver.Approve(ctx, &notesv2.ApproveRequest{Text: req.GetText()}); err != nil {
					return nil, err
				}
			}
			return &notesv2.AddResponse{Number: 1}, nil
		},
		ListFunc: func(context.Context, *notesv2.ListRequest) iter.Seq2[*notesv2.ListResponse, error] {
			return func(yield func(*notesv2.ListResponse, error) bool) { yield(&notesv2.ListResponse{Text: "a note"}, nil) }
		},
	}
	refuse := &notesv2.FakeApproverService{
		ApproveFunc: func(context.Context, *notesv2.ApproveRequest) (*notesv2.ApproveResponse, error) {
			return nil, notesv2.ErrRefused
		},
	}
	for _, version := range []int{1, 2} {
		client := gluetest.Open(t, notes.Plugin, notes.Versions().Only(version), notesv2.NoteService(impl))
		if resp, err := client.Add(t.Context(), &notesv2.AddRequest{Text: "a note"}, nil); err != nil || resp.GetNumber() != 1 {
			t.Errorf("version %d: got %v, %v", version, resp, err)
		}
		if _, err := client.Add(t.Context(), &notesv2.AddRequest{Text: "a note"}, refuse); !errors.Is(err, notesv2.ErrRefused) {
			t.Errorf("version %d: a refusal is %v", version, err)
		}
		for resp, err := range client.List(t.Context(), &notesv2.ListRequest{}) {
			if err != nil || resp.GetText() != "a note" {
				t.Errorf("version %d: listed %v, %v", version, resp, err)
			}
		}
		if _, err := client.Import(t.Context(), nil); errors.Is(err, errors.ErrUnsupported) != (version == 1) {
			t.Errorf("version %d: Import is in version 2 only: %v", version, err)
		}
	}
}
