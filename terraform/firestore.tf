locals {
  # The file that firebase.json points to and that the embedded Firestore of the tests obeys.
  firestore = jsondecode(file("${path.module}/firestore.indexes.json"))
}

resource "google_firestore_database" "meta_ads" {
  # shared/contracts/documents.ts has the same name.
  name                              = "meta-ads"
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"

  depends_on = [google_project_service.api]
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.meta_ads.name
  retention = "2592000s"

  daily_recurrence {}
}

resource "google_firestore_index" "composite" {
  for_each = {
    for index in local.firestore.indexes :
    join("/", concat([index.collectionGroup], [for field in index.fields : "${field.fieldPath} ${try(field.order, field.arrayConfig)}"])) => index
  }

  database    = google_firestore_database.meta_ads.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }
}

# What differs from Firestore's own index of every field: nothing for what is large or grows with time and is not asked
# for, one across tenants for what is; and when documents expire.
resource "google_firestore_field" "override" {
  for_each = { for field in local.firestore.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }

  database   = google_firestore_database.meta_ads.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes

      content {
        query_scope  = indexes.value.queryScope
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.arrayConfig, null)
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []

    content {}
  }
}

# Firestore knows no finer right for servers than the database. A function can reach this one and no other.
resource "google_project_iam_member" "firestore" {
  for_each = local.functions

  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.function[each.key].member

  condition {
    title      = "database meta-ads"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.meta_ads.name}\""
  }
}

# No client reaches the database: the same file that firebase.json points to.
resource "google_firebaserules_ruleset" "firestore" {
  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/firestore.rules")
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_firebaserules_release" "firestore" {
  name         = "cloud.firestore/${google_firestore_database.meta_ads.name}"
  ruleset_name = google_firebaserules_ruleset.firestore.name
}
