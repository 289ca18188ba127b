// Package notes is the handwritten part of an application's SDK: four methods in two
// protocol versions. protoc-gen-go-jackfield writes the rest.
package notes

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/jackfield-go/jackfield/core"
	notesv1 "github.com/jackfield-go/jackfield/examples/proto/notes/v1"
	notesv2 "github.com/jackfield-go/jackfield/examples/proto/notes/v2"
	"github.com/jackfield-go/jackfield/transport-grpc/glue"
)

// Handshake identifies the host: a plugin refuses to start without it.
var Handshake = core.Handshake{MagicCookieKey: "JACKFIELD_NOTES_PLUGIN", MagicCookieValue: "5b0e71c2"}

// Plugin has the interface of the newest version. Plugins implement it, and hosts call it.
var Plugin = notesv2.NoteServicePlugin

// Versions returns both protocol versions, for plugins and hosts.
func Versions() glue.Versions {
	return notesv2.NoteServiceVersions().With(notesv1.NoteServiceVersionsOf(Plugin,
		func(impl notesv2.NoteService) notesv1.NoteService { return down{impl} },
		func(client notesv1.NoteService) notesv2.NoteService { return up{client} }))
}

// down lets a plugin serve hosts of version 1. These hosts cannot lend an approver.
type down struct{ impl notesv2.NoteService }

func (d down) Add(ctx context.Context, req *notesv1.AddRequest) (*notesv1.AddResponse, error) {
	resp, err := d.impl.Add(ctx, &notesv2.AddRequest{Text: req.GetText()}, nil)
	return &notesv1.AddResponse{Number: resp.GetNumber()}, err
}

func (d down) List(ctx context.Context, _ *notesv1.ListRequest) iter.Seq2[*notesv1.ListResponse, error] {
	return glue.Map(d.impl.List(ctx, &notesv2.ListRequest{}), func(resp *notesv2.ListResponse) *notesv1.ListResponse {
		return &notesv1.ListResponse{Text: resp.GetText()}
	})
}

// up lets a host call plugins of version 1. The host asks the approver itself.
type up struct{ client notesv1.NoteService }

func (u up) Add(ctx context.Context, req *notesv2.AddRequest, approver notesv2.ApproverService) (*notesv2.AddResponse, error) {
	if approver != nil {
		if _, err := approver.Approve(ctx, &notesv2.ApproveRequest{Text: req.GetText()}); err != nil {
			return nil, err
		}
	}
	resp, err := u.client.Add(ctx, &notesv1.AddRequest{Text: req.GetText()})
	return &notesv2.AddResponse{Number: resp.GetNumber()}, err
}

func (u up) List(ctx context.Context, _ *notesv2.ListRequest) iter.Seq2[*notesv2.ListResponse, error] {
	return glue.Map(u.client.List(ctx, &notesv1.ListRequest{}), func(resp *notesv1.ListResponse) *notesv2.ListResponse {
		return &notesv2.ListResponse{Text: resp.GetText()}
	})
}

func (up) Import(context.Context, iter.Seq2[*notesv2.ImportRequest, error]) (*notesv2.ImportResponse, error) {
	return nil, errors.ErrUnsupported
}

func (up) Export(context.Context, *notesv2.ExportRequest, io.Writer) (*notesv2.ExportResponse, error) {
	return nil, errors.ErrUnsupported
}
