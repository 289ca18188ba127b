package reflection

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// sourceProto has comments and positions. Generated code has none, descriptors
// that a program decodes at run time may.
func sourceProto(locations protoreflect.SourceLocations) *descriptorpb.SourceCodeInfo {
	if locations.Len() == 0 {
		return nil
	}
	return &descriptorpb.SourceCodeInfo{Location: convert(locations, locationProto)}
}

func locationProto(l protoreflect.SourceLocation) *descriptorpb.SourceCodeInfo_Location {
	p := &descriptorpb.SourceCodeInfo_Location{
		Path:                    slices.Clone(l.Path),
		Span:                    []int32{int32(l.StartLine), int32(l.StartColumn), int32(l.EndLine), int32(l.EndColumn)},
		LeadingDetachedComments: slices.Clone(l.LeadingDetachedComments),
	}
	if l.StartLine == l.EndLine {
		p.Span = slices.Delete(p.GetSpan(), 2, 3) // the form for a single line
	}
	if l.LeadingComments != "" {
		p.LeadingComments = proto.String(l.LeadingComments)
	}
	if l.TrailingComments != "" {
		p.TrailingComments = proto.String(l.TrailingComments)
	}
	return p
}
