//! What statements that name a type of object are: RENAME, COMMENT, DROP and their like.

use pg_query::protobuf as pg;

use crate::kernel::sql::reading::StatementKind as Kind;

/// What dropping an object of this type is: code that goes runs nothing.
pub(super) fn dropped_kind(object_type: i32) -> Kind {
    use pg::ObjectType as O;
    match O::try_from(object_type) {
        Ok(
            O::ObjectAggregate
            | O::ObjectFunction
            | O::ObjectOperator
            | O::ObjectProcedure
            | O::ObjectRoutine
            | O::ObjectTrigger,
        ) => Kind::DropCode,
        _ => object_kind(object_type),
    }
}

/// What renaming or defining an object of this type is, and dropping most.
pub(super) fn object_kind(object_type: i32) -> Kind {
    use pg::ObjectType as O;
    match O::try_from(object_type).unwrap_or(O::Undefined) {
        O::ObjectAttribute
        | O::ObjectColumn
        | O::ObjectCollation
        | O::ObjectDefault
        | O::ObjectDomain
        | O::ObjectDomconstraint
        | O::ObjectForeignTable
        | O::ObjectIndex
        | O::ObjectMatview
        | O::ObjectSchema
        | O::ObjectSequence
        | O::ObjectStatisticExt
        | O::ObjectTabconstraint
        | O::ObjectTable
        | O::ObjectTsconfiguration
        | O::ObjectTsdictionary
        | O::ObjectType
        | O::ObjectView => Kind::SchemaChange,
        O::ObjectAccessMethod
        | O::ObjectAggregate
        | O::ObjectAmop
        | O::ObjectAmproc
        | O::ObjectCast
        | O::ObjectConversion
        | O::ObjectEventTrigger
        | O::ObjectExtension
        | O::ObjectFunction
        | O::ObjectLanguage
        | O::ObjectOpclass
        | O::ObjectOperator
        | O::ObjectOpfamily
        | O::ObjectPolicy
        | O::ObjectProcedure
        | O::ObjectRoutine
        | O::ObjectRule
        | O::ObjectTransform
        | O::ObjectTrigger
        | O::ObjectTsparser
        | O::ObjectTstemplate => Kind::CreateCode,
        O::ObjectDefacl | O::ObjectParameterAcl | O::ObjectRole => Kind::Privileges,
        O::ObjectDatabase
        | O::ObjectFdw
        | O::ObjectForeignServer
        | O::ObjectLargeobject
        | O::ObjectPublication
        | O::ObjectPublicationNamespace
        | O::ObjectPublicationRel
        | O::ObjectSubscription
        | O::ObjectTablespace
        | O::ObjectUserMapping => Kind::Server,
        O::Undefined => Kind::Other,
    }
}
